"""Kubernetes objects made into the small views that a snapshot holds."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fedka.plan.names import (
    ANNOTATION_HASH,
    ANNOTATION_RESTARTS,
    ANNOTATION_ROUNDS,
    LABEL_PARTICIPANT,
    LABEL_ROLE,
)
from fedka.plan.snapshot import Finished, JobView, PodView, Role
from fedka.reconcile.pod_reasons import container_of, image_id, told_by
from fedka.reconcile.ports import Object

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_DIGITS = 9  # Python raises an error at some thousand


def job_view(obj: Object) -> JobView | None:
    """The view of a Job, or None where its labels are not ours."""
    metadata, spec, status = obj["metadata"], obj.get("spec", {}), obj.get("status", {})
    labels, notes = metadata.get("labels", {}), metadata.get("annotations", {})
    role = _role(labels)
    if role is None:
        return None
    return JobView(
        name=metadata["name"],
        uid=metadata["uid"],
        role=role,
        participant=labels.get(LABEL_PARTICIPANT),
        hash=notes.get(ANNOTATION_HASH, ""),
        restarts=_number(notes.get(ANNOTATION_RESTARTS)),
        rounds=_number(notes.get(ANNOTATION_ROUNDS)),
        suspended=bool(spec.get("suspend", False)),
        deleting="deletionTimestamp" in metadata,
        started=None if _is(status, "Suspended") else _moment(status.get("startTime")),  # the time before it was
        deadline_seconds=spec.get("activeDeadlineSeconds"),
        finished=_finished(status),
    )


def pod_view(obj: Object) -> PodView | None:
    """The view of a pod, or None where its labels are not ours."""
    metadata, status = obj["metadata"], obj.get("status", {})
    labels = metadata.get("labels", {})
    role = _role(labels)
    if role is None:
        return None
    told = told_by(obj, role)
    return PodView(
        name=metadata["name"],
        uid=metadata["uid"],
        role=role,
        participant=labels.get(LABEL_PARTICIPANT),
        phase=status.get("phase", "Pending"),
        reason=told.reason,
        message=told.message,
        exit_code=told.exit_code,
        deleting="deletionTimestamp" in metadata,
        image=container_of(obj, role).get("image", ""),
        image_id=image_id(obj, role),
    )


def _role(labels: Mapping[str, str]) -> Role | None:
    word = labels.get(LABEL_ROLE)
    return Role(word) if word in tuple(Role) else None


def _finished(status: Mapping[str, Any]) -> Finished | None:
    for condition in status.get("conditions", ()):
        if condition.get("status") == "True" and condition["type"] in {"Complete", "Failed"}:
            message = ": ".join(part for part in (condition.get("reason"), condition.get("message")) if part)
            at = _moment(condition.get("lastTransitionTime")) or EPOCH
            return Finished(succeeded=condition["type"] == "Complete", at=at, message=message)
    return None


def _is(status: Mapping[str, Any], condition: str) -> bool:
    return any(each["type"] == condition and each.get("status") == "True" for each in status.get("conditions", ()))


def _number(text: str | None) -> int:
    """An annotation's number; anybody may have written it, so what is none counts as zero."""
    return int(text) if text is not None and text.isdecimal() and len(text) <= MOST_DIGITS else 0


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
