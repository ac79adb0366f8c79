"""What is seen of a local run: a watch that tells an observer everything, and knows when there is nothing to wait for.

A run ends when its resource says so, and no sooner. Two things no resource could say here are looked for beside it:
that too few participants can ever come, and that the broker which was started for the run has died.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from fedka.api.reasons import ENDS, DetailReason
from fedka.api.status import ParticipantDetail
from fedka.api.training import FederatedTraining
from fedka.exit_codes import CONFIG
from fedka.local.disk import has_space, no_space
from fedka.local.handed_over import hand_over
from fedka.local.kafka_errors import KafkaKilled, LocalKafkaError
from fedka.local.overheard import Listener
from fedka.local.prospects import NoProspect, Prospects, prospects
from fedka.plan.names import LABEL_PARTICIPANT
from fedka.plan.snapshot import PodView
from fedka.reconcile.ports import FEDERATED_TRAINING, JOB, POD, SECRET, Cluster, EventType, WatchEvent
from fedka.reconcile.views import job_view, pod_view
from fedka.wire import records as r
from fedka.wire.bundle import KafkaAccess
from fedka.wire.run_state import RunState

LOOK_SECONDS = 0.5  # between two looks at the broker's process: the status takes half a minute to tell
MOST_DEATHS = 3  # of the broker without a closed round in between: then something is wrong that a start cannot mend
LEAVE_SECONDS = 15.0  # for pods to read that the run has ended, and to exit by themselves: 0.1 s as a rule
WATCHED = (FEDERATED_TRAINING, JOB, POD, SECRET)


class Broker(Protocol):
    """A Kafka that is started for the run. `start`, `revive` and `stop` block."""

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        ...

    @property
    def log_path(self) -> Path:
        """Its log."""
        ...

    def start(self) -> str:
        """The bootstrap servers, once it answers. Raises LocalKafkaError."""
        ...

    def revive(self) -> None:
        """Start it again where it was, after it has died. Raises LocalKafkaError."""
        ...

    def stop(self) -> None:
        """End it in order, or cancel its start; from any thread."""
        ...


class Observer(Listener, Protocol):
    """Told of everything that somebody may want to see, in the event loop."""

    def trained(self, training: FederatedTraining) -> None:
        """The resource has changed."""
        ...

    def pod(self, pod: PodView) -> None:
        """A pod has changed."""
        ...

    def kafka_died(self, log: Path) -> None:
        """The broker of this run has ended unasked, and is started again."""
        ...

    def handed_over(self, participant: str, bundle: Path) -> None:
        """An External participant may be run by hand with the bundle in this directory."""
        ...


class LocalRun:
    """A run under way: what its resource and its pods say of it. Made by `fedka.local.run.local_run`."""

    def __init__(
        self, observer: Observer, *, access: KafkaAccess, cluster: Cluster, server: Broker | None, bundles: Path
    ) -> None:
        self.access = access
        self._observer = observer
        self._cluster = cluster
        self._server = server
        self._bundles = bundles
        self._prospects: Prospects | None = None
        self._latest: FederatedTraining | None = None
        self._jobs: set[str] = set()  # UIDs of those that have not finished
        self._changed = asyncio.Event()
        self._deaths = 0
        self._given_up: NoProspect | None = None

    @property
    def training(self) -> FederatedTraining:
        """The resource as last seen."""
        assert self._latest is not None, "there is none before the run has been started"
        return self._latest

    async def ended(self) -> NoProspect | None:
        """Wait for the end: None once the resource is Complete or Failed, or why that will not come about."""
        while not self._is_over() and (self._given_up is None or self._latest is None):  # it is told with the resource
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
                while self._is_over() and any(detail.reason == DetailReason.LEAVING for detail in self._details()):
                    await self._next_change()

    async def watch(self) -> None:
        """Follow the cluster until cancelled."""
        async with contextlib.aclosing(self._cluster.watch(WATCHED)) as events:
            async for event in events:
                self._take(event)

    async def keep_kafka(self) -> None:
        """Start the run's own broker again whenever it has died, until cancelled or that does not help."""
        while self._server is not None and self._given_up is None:
            if not self._server.alive:
                await self._revive(self._server)
            await asyncio.sleep(LOOK_SECONDS)

    async def _revive(self, server: Broker) -> None:
        self._deaths += 1
        failure = f"it has done so {self._deaths} times in a row" if self._deaths > MOST_DEATHS else ""
        if not has_space(server.log_path.parent):  # it would end again, and fill what is being freed
            failure = no_space(server.log_path.parent)
        if not failure:
            self._observer.kafka_died(server.log_path)
            try:
                await asyncio.to_thread(server.revive)
            except KafkaKilled:  # as it was before: the next look finds it dead again, and counts
                return
            except LocalKafkaError as error:
                failure = str(error)
        if failure:
            self.give_up(f"Apache Kafka has ended, which was not asked for; its log is {server.log_path}: {failure}")

    def give_up(self, why: str) -> None:
        """It cannot go on, for a reason that no resource could say; the first one counts."""
        self._given_up = self._given_up or NoProspect(why, ())
        self._changed.set()

    def journaled(self, record: r.JournalRecord, before: RunState, after: RunState, *, past: bool) -> None:
        """See `Listener`."""
        if self._prospects is not None and isinstance(record, r.ParticipantJoined):
            self._prospects.joined(record.participant)
        if isinstance(record, r.RoundClosed):
            self._deaths = 0
        self._observer.journaled(record, before, after, past=past)

    def audited(self, record: r.AuditRecord) -> None:
        """See `Listener`."""
        self._observer.audited(record)

    def _take(self, event: WatchEvent) -> None:
        if event.kind == FEDERATED_TRAINING:
            self._latest = FederatedTraining.from_object(dict(event.object))
            self._prospects = self._prospects or prospects(self._latest)
            self._observer.trained(self._latest)
        elif event.kind == JOB:
            self._take_job(event)
        elif event.kind == SECRET:
            self._take_secret(event)
        elif (pod := _pod(event.object)) is not None and event.type is not EventType.DELETED:
            self._observer.pod(pod)
            if self._prospects is not None:
                self._prospects.take(pod)
                self._given_up = self._given_up or self._prospects.verdict()
        self._changed.set()

    def _take_job(self, event: WatchEvent) -> None:
        job = job_view(event.object)
        if job is None:
            return
        if event.type is EventType.DELETED or job.finished is not None or job.suspended:
            self._jobs.discard(job.uid)
        else:
            self._jobs.add(job.uid)

    def _take_secret(self, event: WatchEvent) -> None:
        external = {each.name for each in self.training.spec.participants if not each.managed}
        labels = event.object["metadata"].get("labels") or {}
        if event.type is EventType.DELETED or labels.get(LABEL_PARTICIPANT) not in external:
            return
        self._observer.handed_over(*hand_over(event.object, labels[LABEL_PARTICIPANT], self._bundles))

    def _is_over(self) -> bool:
        status = self._latest.status if self._latest is not None else None
        return status is not None and status.phase in ENDS

    def _details(self) -> tuple[ParticipantDetail, ...]:
        status = self.training.status
        return status.participants.detail if status is not None and status.participants is not None else ()

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


def _pod(obj: Mapping[str, Any]) -> PodView | None:
    """The pod's view. One that this machine cannot run at all says so in its own status, not in a container's."""
    view, status = pod_view(obj), obj.get("status", {})
    if view is None or status.get("phase") != "Failed" or view.exit_code is not None:
        return view
    return replace(view, reason=status.get("reason", ""), message=status.get("message", ""), exit_code=CONFIG)
