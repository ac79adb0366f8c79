"""Names and labels of a training's children.

A Job's name becomes a label, so 63 characters are the limit, and plain joins collide (`a-b` + `c` is `a` + `b-c`). So
both halves are cut, and a hash over what cannot be cut makes the name unique. Labels carry the parts unjoined.
"""

from functools import lru_cache
from typing import Any

from blake3 import blake3

from fedka.api.training import API_VERSION, KIND, FederatedTraining
from fedka.plan.snapshot import Role

LABEL_TRAINING = "fedka.dev/training"
LABEL_UID = "fedka.dev/training-uid"
LABEL_ROLE = "fedka.dev/role"
LABEL_PARTICIPANT = "fedka.dev/participant"
NAMES = 4096  # kept; several policies ask for those of the same thousand participants
ANNOTATION_HASH = "fedka.dev/hash"
ANNOTATION_PROVISIONED = "fedka.dev/provisioned"
ANNOTATION_RESTARTS = "fedka.dev/restarts"
ANNOTATION_ROUNDS = "fedka.dev/rounds-completed"


def child_name(training: FederatedTraining, role: Role, participant: str | None = None) -> str:
    """The name of a pod's Job and of its Secret, at most 58 characters."""
    return _child_name(training.metadata.uid, training.metadata.name, role, participant)


@lru_cache(maxsize=NAMES)
def _child_name(uid: str, name: str, role: Role, participant: str | None) -> str:
    digest = blake3("\0".join((uid, role, participant or "")).encode()).hexdigest()[:8]
    return f"{name[:28]}-{(participant or role)[:20]}-{digest}"


def labels(training: FederatedTraining, role: Role, participant: str | None = None) -> dict[str, str]:
    """What marks a child as this training's."""
    own = {LABEL_TRAINING: training.metadata.name, LABEL_UID: training.metadata.uid, LABEL_ROLE: str(role)}
    return own | ({LABEL_PARTICIPANT: participant} if participant else {})


def child_metadata(
    training: FederatedTraining, role: Role, participant: str | None, annotations: dict[str, str]
) -> dict[str, Any]:
    """The metadata of a child: it goes when the training goes."""
    owner = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": training.metadata.name,
        "uid": training.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "name": child_name(training, role, participant),
        "namespace": training.metadata.namespace,
        "labels": labels(training, role, participant),
        "annotations": annotations,
        "ownerReferences": [owner],
    }
