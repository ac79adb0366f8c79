"""The part of a plan that is a training's children: Secrets made once, Jobs made, patched and deleted.

Nothing here takes over what is another's: a name that is taken stays as it is, and the training's status says so. It
says as well what the API server, or what that asks for its consent, refuses.
"""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from fedka.plan.names import ANNOTATION_HASH, ANNOTATION_PROVISIONED, LABEL_UID
from fedka.plan.parts import BundleSecret, JobDeletion, JobPatch, NameTaken, NetworkPolicy, NewJob
from fedka.reconcile.cache import TrainingKey
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.ports import (
    JOB,
    KINDS,
    NETWORK_POLICY,
    SECRET,
    AlreadyExists,
    Cluster,
    Conflict,
    Kind,
    NotFound,
    Object,
)
from fedka.reconcile.refused import ChildRefusedError, Refusals
from fedka.wire.bundle import PASSWORD_FILE

FIELD_MANAGER = "fedka-operator"
MARK_FIELD_MANAGER = "fedka-operator-provisioned"  # owns one annotation of bundle Secrets
PASSWORD_BYTES = 32
JOB_FIELD_MANAGER = "fedka-operator-job"  # owns suspend and the deadline only, and by apply: the rest is never touched


class NameTakenError(ChildRefusedError):
    """A child's name belongs to somebody else."""


@dataclass(frozen=True, slots=True)
class MadeBundle:
    """A Secret that stands: the hash of its content, the password in it, and the mark that says what its user may do,
    empty while nobody has made that user.
    """

    secret: BundleSecret
    hash: str
    uid: str
    password: str | None = field(default=None, repr=False)
    mark: str = ""


class Children:
    """Of one training. All but the notes raise ChildRefusedError."""

    def __init__(
        self,
        cluster: Cluster,
        key: TrainingKey,
        memory: RunMemory,
        *,
        generation: int,
        now: datetime,
        new_password: Callable[[], str] = lambda: secrets.token_urlsafe(PASSWORD_BYTES),
    ) -> None:
        self._cluster = cluster
        self._key = key
        self._memory = memory
        self._now = now
        self._refusals = Refusals(memory, generation, now)
        self._new_password = new_password

    async def make_bundle(self, secret: BundleSecret) -> MadeBundle:
        """Create the Secret; one of ours with other content is replaced, unless pods have read it. The password in it
        stays. It has to be noted as made once its user is there.
        """
        fresh = self._new_password() if secret.identity is not None else None
        try:  # a quota that is used up refuses to create also what is there
            live = await self._cluster.get(SECRET, self._key.namespace, secret.name)
        except NotFound:
            created = await self._create(secret.name, _with_password(secret.manifest, fresh))
            return MadeBundle(secret, secret.hash, created["metadata"]["uid"], fresh)
        self._check_ours(SECRET, live)
        kept = _password(live) if secret.identity is not None else None
        metadata = live["metadata"]
        notes = metadata.get("annotations") or {}
        mark = notes.get(ANNOTATION_PROVISIONED, "")
        in_use = secret.in_use_by is not None and kept is not None
        if in_use or notes.get(ANNOTATION_HASH) == secret.hash:
            return MadeBundle(secret, notes.get(ANNOTATION_HASH, ""), metadata["uid"], kept, mark)
        with self._refusals.making(secret.name, SECRET):
            await self._cluster.delete(SECRET, self._key.namespace, secret.name, uid=metadata["uid"])
        mark = mark if kept is not None else ""  # what was done for a user stays done for its password
        manifest = _with_mark(_with_password(secret.manifest, kept or fresh), mark)
        created = await self._create(secret.name, manifest)
        return MadeBundle(secret, secret.hash, created["metadata"]["uid"], kept or fresh, mark)

    async def mark_bundle(self, made: MadeBundle, mark: str) -> None:
        """Write on the Secret that its user has been made, with the rights that the mark stands for."""
        metadata = {"name": made.secret.name, "namespace": self._key.namespace, "uid": made.uid}
        annotated = metadata | {"annotations": {ANNOTATION_PROVISIONED: mark}}
        manifest = {"apiVersion": SECRET.api_version, "kind": SECRET.kind, "metadata": annotated}
        with self._refusals.making(made.secret.name, SECRET):
            await self._cluster.apply(manifest, field_manager=MARK_FIELD_MANAGER)

    def note_bundle(self, made: MadeBundle) -> None:
        """Remember that nothing more is to be done for it."""
        self._memory.bundles[made.secret.name] = made.hash

    async def remove_bundle(self, name: str) -> None:
        """Delete a Secret of ours that nobody needs any more."""
        self._memory.bundles.setdefault(name, "")  # if it may not be deleted, it will be found when its Job has gone
        gone = suppress(NotFound, Conflict)  # or made anew by somebody else: either way it is no longer ours
        with self._refusals.deleting(name, SECRET, remembered_as=name), gone:
            live = await self._cluster.get(SECRET, self._key.namespace, name)
            if self._is_ours(live):
                await self._cluster.delete(SECRET, self._key.namespace, name, uid=live["metadata"]["uid"])
        self._memory.bundles.pop(name, None)

    async def set_network_policy(self, policy: NetworkPolicy) -> None:
        """Create it, or give ours this content: from the first write on by apply, so that a rule left out goes."""
        manifest = dict(policy.manifest)
        try:
            live = await self._cluster.get(NETWORK_POLICY, self._key.namespace, policy.name)
        except NotFound:
            pass
        else:
            self._check_ours(NETWORK_POLICY, live)
            manifest["metadata"] = {**manifest["metadata"], "uid": live["metadata"]["uid"]}
        with self._refusals.making(policy.name, NETWORK_POLICY):
            await self._cluster.apply(manifest, field_manager=FIELD_MANAGER)
        self._memory.network_policies[policy.name] = policy.hash

    async def make_job(self, job: NewJob) -> None:
        """Create the Job; one of ours that the cache does not know yet is kept."""
        try:
            await self._create(job.name, job.manifest)
        except AlreadyExists:
            self._check_ours(JOB, await self._cluster.get(JOB, self._key.namespace, job.name))

    async def patch_job(self, patch: JobPatch) -> None:
        """Set the two fields of a live Job. Raises Conflict where it is another by now, too."""
        spec: dict[str, object] = {"suspend": patch.suspend}
        if patch.deadline_seconds is not None:
            spec["activeDeadlineSeconds"] = patch.deadline_seconds
        metadata = {"name": patch.name, "namespace": self._key.namespace, "uid": patch.uid}
        manifest = {"apiVersion": JOB.api_version, "kind": JOB.kind, "metadata": metadata, "spec": spec}
        with self._refusals.changing(patch.name, uid=patch.uid):
            await self._cluster.apply(manifest, field_manager=JOB_FIELD_MANAGER)

    async def delete_job(self, deletion: JobDeletion) -> None:
        """Delete this very Job; its pods follow."""
        if deletion.failure is not None:
            self._memory.failures[deletion.name] = deletion.failure
        gone = suppress(NotFound, Conflict)  # the Job of this uid: that is what was wanted
        with self._refusals.deleting(deletion.name, JOB, remembered_as=deletion.uid), gone:
            await self._cluster.delete(JOB, self._key.namespace, deletion.name, uid=deletion.uid)

    async def _create(self, name: str, manifest: Object) -> Object:
        with self._refusals.making(name, KINDS[manifest["kind"]]):
            return await self._cluster.create(manifest, field_manager=FIELD_MANAGER)

    def _is_ours(self, live: Object) -> bool:
        labels = live["metadata"].get("labels") or {}
        return bool(labels.get(LABEL_UID) == self._memory.uid)

    def _check_ours(self, kind: Kind, live: Object) -> None:
        name = live["metadata"]["name"]
        if self._is_ours(live):
            self._memory.conflicts.pop(name, None)
            return
        sentence = f"{kind} {name} belongs to somebody else: delete it, or create the training under another name"
        self._memory.conflicts[name] = NameTaken(sentence, self._now)
        raise NameTakenError(sentence)


def _with_password(manifest: Object, password: str | None) -> Object:
    if password is None:
        return manifest
    return {**manifest, "data": {**manifest["data"], PASSWORD_FILE: b64encode(password.encode()).decode()}}


def _with_mark(manifest: Object, mark: str) -> Object:
    if not mark:
        return manifest
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), ANNOTATION_PROVISIONED: mark}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def _password(live: Object) -> str | None:
    encoded = (live.get("data") or {}).get(PASSWORD_FILE)
    return b64decode(encoded).decode() if encoded else None
