"""One training on this machine: the parts of `fedka run`, put together.

Everything is what runs on Kubernetes but the API server and the kubelet: the operator with its planner, Kafka with its
topics, the pods' own commands. The order of starting makes use of the seconds that a broker takes, and the order of
stopping leaves nothing behind: pods first, as they say goodbye over Kafka, then the operator, then the broker.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Protocol

from fedka.api.conditions import find_condition
from fedka.api.reasons import ConditionType, Reason
from fedka.api.training import FederatedTraining
from fedka.exit_codes import CONFIG
from fedka.kafka.access import client_settings
from fedka.local.crd_admission import CrdAdmission
from fedka.local.kafka_errors import LocalKafkaError
from fedka.local.kafka_server import KafkaServer
from fedka.local.kubelet import Machine
from fedka.local.node import Node
from fedka.local.objects import Json
from fedka.local.overheard import Listener, OverheardRunLogs
from fedka.local.prospects import NoProspect, Prospects, prospects
from fedka.local.saved import SavedTraining, SavingCluster
from fedka.local.state_dir import StateDir
from fedka.plan.settings import KafkaCluster, Settings
from fedka.plan.snapshot import PodView
from fedka.provision.admin import AdminProvisioner
from fedka.reconcile.kafka_side import KafkaSide
from fedka.reconcile.operator import Operator
from fedka.reconcile.ports import FEDERATED_TRAINING, JOB, POD, EventType, WatchEvent
from fedka.reconcile.run_log import KafkaRunLogs
from fedka.reconcile.spec_topic import KafkaSpecTopics
from fedka.reconcile.views import job_view, pod_view
from fedka.wire import records as r
from fedka.wire.bundle import KafkaAccess
from fedka.wire.run_state import RunState

STOP_SECONDS = 10.0  # for a pod to end in order when the run is stopped; a round's training may be in its hands
LEAVE_SECONDS = 15.0  # for pods to read that the run has ended, and to exit by themselves: 0.1 s as a rule


class Observer(Listener, Protocol):
    """Told of everything that somebody may want to see, in the event loop."""

    def trained(self, training: FederatedTraining) -> None:
        """The resource has changed."""
        ...

    def pod(self, pod: PodView) -> None:
        """A pod has changed."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be run, and where.

    `image_dir` stands for the image: pods are started in it and find the app there. `environment` is what they inherit.
    """

    training: Json
    state_dir: StateDir
    image_dir: Path
    environment: Mapping[str, str]


class LocalRun:
    """A run under way. Made by `local_run`."""

    def __init__(
        self, observer: Observer, access: KafkaAccess, cluster: SavingCluster, server: KafkaServer | None
    ) -> None:
        self.access = access
        self._observer = observer
        self._cluster = cluster
        self._server = server
        self._prospects: Prospects | None = None
        self._latest: FederatedTraining | None = None
        self._jobs: set[str] = set()  # UIDs of those that have not finished
        self._changed = asyncio.Event()
        self._given_up: NoProspect | None = None

    @property
    def training(self) -> FederatedTraining:
        """The resource as last seen."""
        assert self._latest is not None, "there is none before the run has been started"
        return self._latest

    async def ended(self) -> NoProspect | None:
        """Wait for the end: None once the resource is Complete or Failed, or why that will not come about."""
        while not self._is_over() and self._given_up is None:
            await self._next_change()
        return None if self._is_over() else self._given_up

    async def left(self) -> None:
        """Wait until all pods have ended by themselves, as they do when the run has; at most `LEAVE_SECONDS`."""
        with contextlib.suppress(TimeoutError):  # the orderly stop that follows ends what hangs
            async with asyncio.timeout(LEAVE_SECONDS):
                while self._jobs:
                    await self._next_change()

    async def settled(self, seconds: float) -> None:
        """Wait until the resource says of no participant that it is still leaving; status writes are throttled."""
        with contextlib.suppress(TimeoutError):  # what it says is then a second old, and still true of the run
            async with asyncio.timeout(seconds):
                while self._is_over() and any(detail.reason == "Leaving" for detail in self._details()):
                    await self._next_change()

    async def watch(self) -> None:
        """Follow the cluster until cancelled."""
        async with contextlib.aclosing(self._cluster.watch((FEDERATED_TRAINING, JOB, POD))) as events:
            async for event in events:
                self._take(event)

    def journaled(self, record: r.JournalRecord, before: RunState, after: RunState, *, past: bool) -> None:
        """See `Listener`."""
        if self._prospects is not None and isinstance(record, r.ParticipantJoined):
            self._prospects.joined(record.participant)
        self._observer.journaled(record, before, after, past=past)

    def audited(self, record: r.AuditRecord) -> None:
        """See `Listener`."""
        self._observer.audited(record)

    def _take(self, event: WatchEvent) -> None:
        if event.kind == FEDERATED_TRAINING:
            self._latest = FederatedTraining.from_object(dict(event.object))
            self._prospects = self._prospects or prospects(self._latest)
            self._observer.trained(self._latest)
            self._look_after_kafka(self._latest)
        elif event.kind == JOB:
            self._take_job(event)
        elif (pod := _pod(event.object)) is not None and event.type is not EventType.DELETED:
            self._observer.pod(pod)
            if self._prospects is not None:
                self._prospects.take(pod)
                self._given_up = self._given_up or self._prospects.verdict()
        self._changed.set()

    def _look_after_kafka(self, training: FederatedTraining) -> None:
        """A broker of ours that has died is not coming back, unlike one that others look after."""
        status = training.status
        ready = find_condition(status.conditions, ConditionType.KAFKA_READY) if status is not None else None
        unreachable = ready is not None and ready.reason == Reason.KAFKA_UNREACHABLE
        if unreachable and self._server is not None and not self._server.alive:
            message = f"Apache Kafka has ended, which was not asked for; its log is {self._server.log_path}"
            self._given_up = self._given_up or NoProspect(message, ())

    def _take_job(self, event: WatchEvent) -> None:
        job = job_view(event.object)
        if job is None:
            return
        if event.type is EventType.DELETED or job.finished is not None or job.suspended:
            self._jobs.discard(job.uid)
        else:
            self._jobs.add(job.uid)

    def _is_over(self) -> bool:
        status = self._latest.status if self._latest is not None else None
        return status is not None and status.phase in ("Complete", "Failed")

    def _details(self) -> tuple[Any, ...]:
        status = self.training.status
        return status.participants.detail if status is not None and status.participants is not None else ()

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


@contextlib.asynccontextmanager
async def local_run(
    request: Request,
    observer: Observer,
    *,
    kafka: KafkaServer | str,
    clock: Callable[[], datetime],
    random: Random,
) -> AsyncIterator[LocalRun]:
    """Start everything and submit the training; at the end stop everything in order.

    `kafka` is a server to start (it may be starting already) or the bootstrap servers of a cluster that exists. A part
    that breaks down cancels the body, and its error is raised. Raises LocalKafkaError where Kafka does not start.
    """
    async with contextlib.AsyncExitStack() as stack:
        servers = kafka if isinstance(kafka, str) else await stack.enter_async_context(_served(kafka))
        access = KafkaAccess(bootstrap_servers=servers)
        cluster = SavingCluster(
            SavedTraining(request.state_dir.path / "training.json"),
            namespace=request.training["metadata"].get("namespace") or "default",
            clock=clock,
            random=random,
            admission=CrdAdmission(),
        )
        run = LocalRun(observer, access, cluster, kafka if isinstance(kafka, KafkaServer) else None)
        operator = _operator(request, run, access, cluster, clock=clock, random=random)
        node = Node(cluster, _machine(request), clock=clock, random=random)
        await cluster.submit(request.training)
        async with _background(run.watch(), operator.run()), _background(node.run()):
            yield run


@contextlib.asynccontextmanager
async def _served(server: KafkaServer) -> AsyncIterator[str]:
    """The broker's address; it is stopped at the end, or when its start is cancelled."""
    starting = asyncio.ensure_future(asyncio.to_thread(server.start))
    try:
        yield await asyncio.shield(starting)
    finally:
        await asyncio.to_thread(server.stop)
        with contextlib.suppress(
            LocalKafkaError
        ):  # a start that failed has been raised above; a cancelled one is meant
            await starting


@contextlib.asynccontextmanager
async def _background(*work: Any) -> AsyncIterator[None]:
    """Run coroutines beside the body, and cancel them at its end. The first one to fail fails the body."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
            yield
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as errors:  # the first to fail is the cause: it had the others cancelled
        raise _first(errors) from None


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _operator(
    request: Request,
    run: LocalRun,
    access: KafkaAccess,
    cluster: SavingCluster,
    *,
    clock: Callable[[], datetime],
    random: Random,
) -> Operator:
    name = (request.training["spec"].get("kafka") or {}).get("clusterName", "default")
    shared = client_settings(access)
    side = KafkaSide(
        provisioner=AdminProvisioner(shared),
        run_logs=OverheardRunLogs(KafkaRunLogs(shared), run),
        spec_topics=KafkaSpecTopics(shared),
    )
    settings = Settings(
        kafka_clusters={name: KafkaCluster(access)},  # whatever Kafka the file names: here there is one
        state_directory=str(request.state_dir.participants),
    )
    return Operator(cluster=cluster, kafka={name: side}, settings=settings, clock=clock, random=random)


def _machine(request: Request) -> Machine:
    """Pods share this machine's cores, as limits would divide them in a cluster: N participants whose libraries start
    a thread for each core would spend their time on waiting for one another.
    """
    participants = len(request.training["spec"]["participants"])
    threads = max(1, (os.cpu_count() or 1) // participants)
    return Machine(
        state_dir=request.state_dir.path,
        image_dir=request.image_dir,
        environment={"OMP_NUM_THREADS": str(threads), **request.environment},
        stop_seconds=STOP_SECONDS,
    )


def _pod(obj: Mapping[str, Any]) -> PodView | None:
    """The pod's view. One that this machine cannot run at all says so in its own status, not in a container's."""
    view, status = pod_view(obj), obj.get("status", {})
    if view is None or status.get("phase") != "Failed" or view.exit_code is not None:
        return view
    return replace(view, reason=status.get("reason", ""), message=status.get("message", ""), exit_code=CONFIG)
