"""Carries a plan out, step by step. Each step may be repeated, and each is preceded by a look at who leads.

Order: what makes later steps safe comes first (the finalizer before any topic, topics before pods), the status comes
after what it reports, and what may take long because Kafka is away comes after the status that says so.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from fedka.api.status import TrainingStatus
from fedka.api.training import FINALIZER
from fedka.plan.parts import BundleSecret, Plan
from fedka.plan.snapshot import Snapshot
from fedka.reconcile.cache import CachedTraining, TrainingKey
from fedka.reconcile.children import Children, MadeBundle
from fedka.reconcile.identities import bring_about
from fedka.reconcile.kafka_side import KafkaSide, ReceiveRecords, ReceiveTrouble
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.ports import FEDERATED_TRAINING, Cluster, NotFound
from fedka.reconcile.provisioning import ProvisioningRefused
from fedka.reconcile.refused import each_of
from fedka.reconcile.telling import Teller
from fedka.reconcile.throttle import StatusThrottle

FINALIZER_FIELD_MANAGER = "fedka-operator-finalizer"
STATUS_FIELD_MANAGER = "fedka-operator-status"


class NotLeaderError(Exception):
    """Another operator leads by now: whatever this one planned is not its to do."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a plan is about."""

    key: TrainingKey
    cached: CachedTraining
    memory: RunMemory
    snapshot: Snapshot
    deliver: ReceiveRecords
    trouble: ReceiveTrouble


class Applier:
    """Carries plans out. `still_leader` is asked before each step."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        kafka: Mapping[str, KafkaSide],
        throttle: StatusThrottle[TrainingKey],
        still_leader: Callable[[], bool],
        clock: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._kafka = kafka
        self._throttle = throttle
        self._still_leader = still_leader
        self._clock = clock

    async def apply(self, plan: Plan, subject: Subject) -> float | None:
        """Do what the plan says; seconds until its training should be looked at again, or None.

        Raises a ClusterError, a ProvisioningError, ChildRefusedError or NotLeaderError; what was done before stands.
        """
        version = subject.cached.resource_version
        if plan.finalizer is True:
            version = await self._add_finalizer(subject)
        await self._before_status(plan, subject)
        wait = await self._status(plan, subject, version)
        await self._after_status(plan, subject)
        delays = [delay for delay in (plan.requeue_after, wait) if delay is not None]
        return min(delays) if delays else None

    async def _before_status(self, plan: Plan, subject: Subject) -> None:
        await self._provision(plan, subject)
        generation = subject.cached.training.metadata.generation
        children = Children(self._cluster, subject.key, subject.memory, generation=generation, now=self._clock())
        await self._bundles(plan, subject, children)
        leads = self._check_leader
        await each_of(plan.bundle_removals, children.remove_bundle, check_leader=leads)
        await each_of(plan.network_policies, children.set_network_policy, check_leader=leads)
        await each_of(plan.jobs, children.make_job, check_leader=leads)
        await each_of(plan.job_patches, children.patch_job, check_leader=leads)
        await each_of(plan.job_deletions, children.delete_job, check_leader=leads)

    async def _bundles(self, plan: Plan, subject: Subject, children: Children) -> None:
        """Secret first, then the user: a password that is lost between the two is in use nowhere."""
        made: list[MadeBundle] = []

        async def make(secret: BundleSecret) -> None:
            made.append(await children.make_bundle(secret))

        await each_of(plan.bundles, make, check_leader=self._check_leader)
        side = self._side(subject)
        if side is not None:
            await bring_about(
                made,
                side,
                children,
                subject.memory,
                snapshot=subject.snapshot,
                teller=self._teller(subject),
                check_leader=self._check_leader,
            )
        for bundle in made:
            children.note_bundle(bundle)

    async def _provision(self, plan: Plan, subject: Subject) -> None:
        side, topics, memory = self._side(subject), subject.snapshot.topics, subject.memory
        if side is None:
            return
        if plan.topics:
            self._check_leader()
            await side.ensure(plan.topics, memory)
        if plan.follow is True:
            await side.follow(topics, memory, deliver=subject.deliver, trouble=subject.trouble)
            journal = subject.snapshot.status.journal
            memory.note_shortfall(read=journal.offset if journal is not None else -1, now=self._clock())
        elif plan.follow is False:
            await side.unfollow(memory)
        if plan.spec is not None:
            self._check_leader()
            await side.publish(topics, plan.spec, memory)

    async def _after_status(self, plan: Plan, subject: Subject) -> None:
        side, memory, metadata = self._side(subject), subject.memory, subject.cached.training.metadata
        if plan.look_up and side is not None:
            await side.look_up(plan.look_up, memory)
        if plan.look_up_users and side is not None:
            await side.look_up_users(subject.snapshot.topics, memory)
        if plan.revocations and side is not None:
            self._check_leader()
            await side.revoke(plan.revocations, memory)
        if side is not None:
            await self._remove(plan, side, memory)
        if plan.finalizer is False:
            await self._remove_finalizer(subject)
        if plan.delete_training:
            self._check_leader()
            with suppress(NotFound):
                await self._cluster.delete(
                    FEDERATED_TRAINING, subject.key.namespace, subject.key.name, uid=metadata.uid
                )

    async def _remove(self, plan: Plan, side: KafkaSide, memory: RunMemory) -> None:
        """Of users and topics, that the ones may not be removed keeps none of the others."""
        refused: ProvisioningRefused | None = None
        if plan.identity_removal is not None:
            self._check_leader()
            try:
                await side.remove_identities(plan.identity_removal, memory)
            except ProvisioningRefused as error:
                refused = error
        if plan.topic_removal is not None:
            self._check_leader()
            await side.remove(plan.topic_removal, memory)
        if refused is not None:
            raise refused

    async def _status(self, plan: Plan, subject: Subject, version: str) -> float | None:
        """Write status and events, or say how long they have to wait."""
        key, cached, memory = subject.key, subject.cached, subject.memory
        if plan.status is None:
            await self._teller(subject).tell(plan.events)
            return None
        if memory.status_sent_from and memory.status_sent_from == cached.resource_version:
            return None  # our last write is on its way back to the cache: it will ask again
        urgent = is_transition(cached.training.status, plan.status)
        wait = self._throttle.wait(key, size=cached.size, urgent=urgent)
        if wait > 0:
            return wait
        self._check_leader()
        sent = _identity(subject) | {"status": plan.status.to_object()}
        sent["metadata"] |= {"resourceVersion": version}
        written = await self._cluster.apply_status(sent, field_manager=STATUS_FIELD_MANAGER)
        changed = written["metadata"]["resourceVersion"] != cached.resource_version
        memory.status_sent_from = cached.resource_version if changed else ""
        await self._teller(subject).tell(plan.events)
        return None

    def _teller(self, subject: Subject) -> Teller:
        return Teller(self._cluster, _identity(subject), check_leader=self._check_leader)

    async def _add_finalizer(self, subject: Subject) -> str:
        self._check_leader()
        written = await self._cluster.add_finalizer(
            FEDERATED_TRAINING,
            subject.key.namespace,
            subject.key.name,
            uid=subject.memory.uid,
            finalizer=FINALIZER,
            field_manager=FINALIZER_FIELD_MANAGER,
        )
        return str(written["metadata"]["resourceVersion"])

    async def _remove_finalizer(self, subject: Subject) -> None:
        self._check_leader()
        await self._cluster.remove_finalizer(
            FEDERATED_TRAINING,
            subject.key.namespace,
            subject.key.name,
            uid=subject.memory.uid,
            finalizer=FINALIZER,
            known=subject.cached.training.metadata.finalizers,
        )

    def _side(self, subject: Subject) -> KafkaSide | None:
        return self._kafka.get(subject.cached.training.spec.kafka.cluster_name)

    def _check_leader(self) -> None:
        if not self._still_leader():
            raise NotLeaderError("another operator has taken over")


def is_transition(old: TrainingStatus | None, new: TrainingStatus) -> bool:
    """Whether phase or conditions change: that is told at once, progress in its time."""
    if old is None or old.phase != new.phase:
        return True
    before = {condition.type: (condition.status, condition.reason) for condition in old.conditions}
    return before != {condition.type: (condition.status, condition.reason) for condition in new.conditions}


def _identity(subject: Subject) -> dict[str, dict[str, str] | str]:
    metadata = {"name": subject.key.name, "namespace": subject.key.namespace, "uid": subject.memory.uid}
    return {"apiVersion": FEDERATED_TRAINING.api_version, "kind": FEDERATED_TRAINING.kind, "metadata": metadata}
