"""The part of a plan that is a training's children: Secrets made once, Jobs made, patched and deleted.

Nothing here takes over what is another's: a name that is taken stays as it is, and the training's status says so.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from fedka.plan.names import ANNOTATION_HASH, LABEL_UID
from fedka.plan.parts import BundleSecret, JobDeletion, JobPatch, NetworkPolicy, NewJob, Refusal
from fedka.reconcile.cache import TrainingKey
from fedka.reconcile.memory import NameTaken, RunMemory
from fedka.reconcile.ports import (
    JOB,
    KINDS,
    NETWORK_POLICY,
    SECRET,
    AlreadyExists,
    Cluster,
    Conflict,
    Forbidden,
    Invalid,
    Kind,
    NotFound,
    Object,
)

FIELD_MANAGER = "fedka-operator"
JOB_FIELD_MANAGER = "fedka-operator-job"  # owns suspend and the deadline only, and by apply: the rest is never touched


class ChildRefusedError(Exception):
    """A child cannot be made; why is remembered, so that the next plan does without it and the status says so."""


class NameTakenError(ChildRefusedError):
    """A child's name belongs to somebody else."""


class Children:
    """Of one training."""

    def __init__(
        self, cluster: Cluster, key: TrainingKey, memory: RunMemory, *, generation: int, now: datetime
    ) -> None:
        self._cluster = cluster
        self._key = key
        self._memory = memory
        self._generation = generation
        self._now = now

    async def make_bundle(self, secret: BundleSecret) -> None:
        """Create the Secret; one of ours with other content is replaced. Raises ChildRefusedError."""
        try:
            await self._create(secret.name, secret.manifest)
        except AlreadyExists:
            live = await self._cluster.get(SECRET, self._key.namespace, secret.name)
            self._check_ours(SECRET, live)
            if live["metadata"].get("annotations", {}).get(ANNOTATION_HASH) != secret.hash:
                await self._cluster.delete(SECRET, self._key.namespace, secret.name, uid=live["metadata"]["uid"])
                await self._create(secret.name, secret.manifest)
        self._memory.bundles[secret.name] = secret.hash

    async def remove_bundle(self, name: str) -> None:
        """Delete a Secret of ours that nobody needs any more."""
        with suppress(NotFound, Conflict):  # gone, or made anew by somebody else: either way it is no longer ours
            live = await self._cluster.get(SECRET, self._key.namespace, name)
            if self._is_ours(live):
                await self._cluster.delete(SECRET, self._key.namespace, name, uid=live["metadata"]["uid"])
        self._memory.bundles.pop(name, None)

    async def set_network_policy(self, policy: NetworkPolicy) -> None:
        """Create it, or give ours this content: from the first write on by apply, so that a rule left out goes. Raises
        ChildRefusedError.
        """
        manifest = dict(policy.manifest)
        try:
            live = await self._cluster.get(NETWORK_POLICY, self._key.namespace, policy.name)
        except NotFound:
            pass
        else:
            self._check_ours(NETWORK_POLICY, live)
            manifest["metadata"] = {**manifest["metadata"], "uid": live["metadata"]["uid"]}
        with self._remembered_refusal(policy.name, NETWORK_POLICY):
            await self._cluster.apply(manifest, field_manager=FIELD_MANAGER)
        self._memory.network_policies[policy.name] = policy.hash

    async def make_job(self, job: NewJob) -> None:
        """Create the Job; one of ours that the cache does not know yet is kept. Raises ChildRefusedError."""
        try:
            await self._create(job.name, job.manifest)
        except AlreadyExists:
            self._check_ours(JOB, await self._cluster.get(JOB, self._key.namespace, job.name))

    async def patch_job(self, patch: JobPatch) -> None:
        """Set the two fields of a live Job. Raises Conflict where it is another by now."""
        spec: dict[str, object] = {"suspend": patch.suspend}
        if patch.deadline_seconds is not None:
            spec["activeDeadlineSeconds"] = patch.deadline_seconds
        metadata = {"name": patch.name, "namespace": self._key.namespace, "uid": patch.uid}
        manifest = {"apiVersion": JOB.api_version, "kind": JOB.kind, "metadata": metadata, "spec": spec}
        await self._cluster.apply(manifest, field_manager=JOB_FIELD_MANAGER)

    async def delete_job(self, deletion: JobDeletion) -> None:
        """Delete this very Job; its pods follow."""
        if deletion.failure is not None:
            self._memory.failures[deletion.name] = deletion.failure
        with suppress(NotFound, Conflict):  # the Job of this uid has gone: that is what was wanted
            await self._cluster.delete(JOB, self._key.namespace, deletion.name, uid=deletion.uid)

    async def _create(self, name: str, manifest: Object) -> None:
        with self._remembered_refusal(name, KINDS[manifest["kind"]]):
            await self._cluster.create(manifest, field_manager=FIELD_MANAGER)

    @contextmanager
    def _remembered_refusal(self, name: str, kind: Kind) -> Iterator[None]:
        """Remember a refusal, as asking again at once would be refused again."""
        try:
            yield
        except (Invalid, Forbidden) as error:
            message = f"{kind} {name} is refused: {error}"
            invalid = isinstance(error, Invalid)
            self._memory.refusals[name] = Refusal(message, invalid, self._generation, self._now)
            raise ChildRefusedError(message) from error
        self._memory.refusals.pop(name, None)

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
