"""An operator on the in-memory cluster and a Kafka in memory, driven by what tests do to both."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from types import MappingProxyType
from typing import Any

import pytest

from fedka.local.cluster import InMemoryCluster
from fedka.local.crd_admission import CrdAdmission
from fedka.plan.settings import CLEANUP_SECONDS, KafkaCluster, Settings
from fedka.reconcile.kafka_side import KafkaSide
from fedka.reconcile.meter import Meter
from fedka.reconcile.operator import COALESCE_SECONDS, Operator
from fedka.reconcile.ports import EVENT, FEDERATED_TRAINING, JOB, Cluster, NotFound
from fedka.reconcile.pulse import PULSE_SECONDS
from fedka.reconcile.reach import Reach
from fedka.wire.bundle import KafkaAccess
from fedka.wire.names import RunTopics, run_id

from .builders import training_object
from .fakes import FakeKafka, Hand

GENEROUS_SECONDS = 60
NO_IDENTITIES = KafkaCluster(KafkaAccess(bootstrap_servers="kafka:9092"))


@dataclass
class World:
    """`start` and `stop` the operator as often as a test likes; the cluster and Kafka stay."""

    kafka: FakeKafka = field(default_factory=FakeKafka)
    kafka_cluster: KafkaCluster = NO_IDENTITIES
    cleanup_seconds: float = CLEANUP_SECONDS
    pods_end_with_operator: bool = False
    leads: bool = True
    clock_ahead: timedelta = timedelta(0)  # of the operators' clock: what waits for a time need not be waited for
    tasks: list[tuple[Operator, asyncio.Task[None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cluster = InMemoryCluster(clock=_now, random=Random(1), admission=CrdAdmission())  # noqa: S311  no secrets
        self.changed = asyncio.Event()
        self.asked_who_leads = asyncio.Event()
        self.cluster.listen(lambda _event, _old: self.changed.set())
        self.kafka.changed = self.changed.set

    def start(
        self,
        cluster: Cluster | None = None,
        *,
        others: Mapping[str, KafkaSide] = MappingProxyType({}),
        resync_seconds: float | None = None,
        pulse_seconds: float = PULSE_SECONDS,
        progress_seconds: float = COALESCE_SECONDS,
        reach: Reach | None = None,
        meter: Meter | None = None,
    ) -> Operator:
        """`cluster`: what the operator sees of the cluster, where that is not all of it. `others`: Kafka clusters."""
        sides = {"default": self.kafka.side(), **others}
        settings = Settings(
            dict.fromkeys(sides, self.kafka_cluster),
            cleanup_seconds=self.cleanup_seconds,
            pods_end_with_operator=self.pods_end_with_operator,
        )
        operator = Operator(
            cluster=cluster or self.cluster,
            kafka=sides,
            resync_seconds=resync_seconds,
            pulse_seconds=pulse_seconds,
            progress_seconds=progress_seconds,
            settings=settings,
            clock=self._clock,
            random=Random(1),  # noqa: S311  no secrets
            still_leader=self._still_leads,
            reach=reach,
            meter=meter,
        )
        self.tasks.append((operator, asyncio.create_task(operator.run())))
        return operator

    def _clock(self) -> datetime:
        return _now() + self.clock_ahead

    def _still_leads(self) -> bool:
        self.asked_who_leads.set()
        return self.leads

    async def stop(self) -> None:
        while self.tasks:
            operator, task = self.tasks.pop()
            await operator.stop()
            await asyncio.wait_for(task, GENEROUS_SECONDS)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it holds, looking again after each change in the cluster."""
        async with asyncio.timeout(GENEROUS_SECONDS):
            while True:
                self.changed.clear()
                if await holds():
                    return
                await self.changed.wait()

    async def create(self, name: str = "fraud", **spec: Any) -> RunTopics:
        made = await self.cluster.apply(training_object(name, **spec), field_manager="user")
        return RunTopics(run=run_id("default", name, made["metadata"]["uid"]))

    async def change(self, name: str = "fraud", **spec: Any) -> None:
        await self.cluster.apply(training_object(name, **spec), field_manager="user")

    async def training(self, name: str = "fraud") -> dict[str, Any] | None:
        try:
            return await self.cluster.get(FEDERATED_TRAINING, "default", name)
        except NotFound:
            return None

    async def delete(self) -> None:
        training = await self.training()
        assert training is not None
        await self.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=training["metadata"]["uid"])

    async def until_gone(self) -> None:
        async def gone() -> bool:
            return await self.training() is None

        await self.until(gone)

    async def status(self, name: str = "fraud") -> dict[str, Any]:
        return ((await self.training(name)) or {}).get("status", {})

    async def condition(self, type_: str, name: str = "fraud") -> tuple[str, str]:
        for condition in (await self.status(name)).get("conditions", ()):
            if condition["type"] == type_:
                return condition["status"], condition["reason"]
        return "", ""

    async def jobs(self) -> dict[str, dict[str, Any]]:
        """By participant, or `aggregator`."""
        jobs = await self.cluster.list(JOB)
        return {job["metadata"]["labels"].get("fedka.dev/participant", "aggregator"): job for job in jobs}

    async def set_job_status(self, member: str, **status: Any) -> None:
        job = (await self.jobs())[member]
        sent = {key: job[key] for key in ("apiVersion", "kind", "metadata")} | {"status": status}
        await self.cluster.apply_status(sent, field_manager="job-controller")

    async def end_job(self, member: str, *, succeeded: bool, message: str = "") -> None:
        condition = {
            "type": "Complete" if succeeded else "Failed",
            "status": "True",
            "reason": "CompletionsReached" if succeeded else "BackoffLimitExceeded",
            "message": message,
            "lastTransitionTime": _now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        await self.set_job_status(member, conditions=[condition])

    async def fail_pod(self, member: str, log: str, *, exit_code: int = 78) -> None:
        """Let the pod of a member's Job, which is made for it, end so, and the Job with it."""
        job = (await self.jobs())[member]
        template = job["spec"]["template"]
        owner = {"apiVersion": "batch/v1", "kind": "Job", **{key: job["metadata"][key] for key in ("name", "uid")}}
        names = {"name": f"{job['metadata']['name']}-pod", "namespace": "default", "ownerReferences": [owner]}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**template["metadata"], **names},
            "spec": template["spec"],
        }
        made = await self.cluster.create(pod, field_manager="job-controller")
        state = {"terminated": {"exitCode": exit_code, "reason": "Error", "message": log}}
        name = template["spec"]["containers"][0]["name"]
        status = {"phase": "Failed", "containerStatuses": [{"name": name, "state": state}]}
        sent = {key: made[key] for key in ("apiVersion", "kind", "metadata")} | {"status": status}
        await self.cluster.apply_status(sent, field_manager="kubelet")
        await self.end_job(member, succeeded=False)

    async def events(self) -> list[str]:
        return [event["reason"] for event in await self.cluster.list(EVENT)]

    async def until_told(self, *reasons: str) -> None:
        """Until there are Events of these reasons: they follow the status."""

        async def told() -> bool:
            return set(reasons) <= set(await self.events())

        await self.until(told)

    async def started(self, topics: RunTopics) -> Hand:
        """An aggregator on the run's journal, once all Jobs stand."""

        async def all_made() -> bool:
            return len(await self.jobs()) == 3 and topics.run in self.kafka.followers

        await self.until(all_made)
        return self.kafka.aggregator(topics)


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.stop()
