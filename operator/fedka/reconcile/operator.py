"""The operator: fed with watch events, it reconciles one training after another until stopped.

The same object is driven by the watch of the in-memory cluster in `fedka run` (`run`), and by the watches of a real one
(which call `observe`, beside `work`).
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any

from fedka.plan.settings import Settings
from fedka.reconcile.apply import Applier
from fedka.reconcile.cache import WATCHED, Cache, TrainingKey
from fedka.reconcile.coverage import Coverage
from fedka.reconcile.kafka_side import KafkaSide
from fedka.reconcile.meter import Meter, NoMeter
from fedka.reconcile.ports import Cluster, ClusterError, WatchEvent
from fedka.reconcile.pulse import PULSE_SECONDS, feel_pulse
from fedka.reconcile.queue import KeyedQueue, QueueClosedError
from fedka.reconcile.reach import EVERYWHERE, Reach
from fedka.reconcile.reconciler import Reconciler
from fedka.reconcile.resync import resync
from fedka.reconcile.runs import Runs
from fedka.reconcile.throttle import LEAST_INTERVAL_SECONDS, StatusThrottle

LOGGER = logging.getLogger("fedka.reconcile")
SHARE = 4  # trainings of one Kafka cluster that are worked on at a time: one that hangs holds up no other cluster's
COALESCE_SECONDS = 0.05  # of journal news: a round writes a dozen records in 30 ms, one look at them is enough
PROGRESS_SECONDS = LEAST_INTERVAL_SECONDS  # where they tell of rounds only, of which a status is written no oftener
STANDBY_SECONDS = 5.0  # a server remembers what it told for minutes: nothing is missed in less
CATCH_UP_SECONDS = 2.0
NO_KAFKA = ""  # the lane of trainings whose Kafka cluster is not known


async def _at_once() -> None:
    """Whoever is alone need not wait to lead."""


class Operator:
    """Reconciles every training of a cluster.

    `kafka` has a side for each entry of `settings.kafka_clusters`; the operator closes them when it ends. `clock` gives
    aware datetimes, `still_leader` is asked before every change. With `resync_seconds`, each training is looked at
    again about that often, whatever the watch says; every `pulse_seconds` each Kafka is asked whether it is there.
    What a run has got on is looked at `progress_seconds` after it is heard of.
    `reach` says where the watch is not let in; absent: it is let in everywhere.
    """

    def __init__(
        self,
        *,
        cluster: Cluster,
        kafka: Mapping[str, KafkaSide],
        settings: Settings,
        clock: Callable[[], datetime],
        random: Random,
        monotonic: Callable[[], float] = time.monotonic,
        still_leader: Callable[[], bool] = lambda: True,
        meter: Meter | None = None,
        reach: Reach | None = None,
        resync_seconds: float | None = None,
        pulse_seconds: float = PULSE_SECONDS,
        progress_seconds: float = PROGRESS_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._kafka = kafka
        self._random = random
        self._monotonic = monotonic
        self._meter = meter or NoMeter()
        self._resync_seconds = resync_seconds
        self._pulse_seconds = pulse_seconds
        self._progress_seconds = progress_seconds
        self._cache = Cache()
        self._reach = reach or Reach()
        self._reach.listen(self._look_again_in)
        self._queue: KeyedQueue[TrainingKey] = KeyedQueue(
            now=monotonic, timer=_call_later, random=random, lane=self._lane, share=SHARE
        )
        self._coverage = Coverage(cluster=cluster, cache=self._cache, tell=self.observe, reach=self._reach)
        self._runs = Runs(
            kafka=kafka,
            clock=clock,
            news=self._hear,
            pods_end_with_us=settings.pods_end_with_operator,
        )
        throttle: StatusThrottle[TrainingKey] = StatusThrottle(now=monotonic)
        self._reconciler = Reconciler(
            cache=self._cache,
            reach=self._reach,
            runs=self._runs,
            queue=self._queue,
            throttle=throttle,
            applier=Applier(cluster=cluster, kafka=kafka, throttle=throttle, still_leader=still_leader, clock=clock),
            settings=settings,
            clock=clock,
        )
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Watch and work until `stop`; ends with the error of a task that failed."""
        watch = asyncio.create_task(self._watch(), name="operator-watch")
        work = asyncio.create_task(self.work(), name="operator-work")
        stop = asyncio.create_task(self._stopping.wait(), name="operator-stop")
        tasks: list[asyncio.Task[Any]] = [watch, work, stop]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for ended in (watch, work):
                if ended.done() and not self._stopping.is_set():
                    ended.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.close()

    async def close(self) -> None:
        """Let go of Kafka, once `work` has ended."""
        self._queue.close()
        await asyncio.gather(*(side.close() for side in self._kafka.values()))

    async def stop(self) -> None:
        """Let `run` end; what is running is cancelled between two steps and is found again at the next start."""
        self._stopping.set()

    @property
    def ready(self) -> bool:
        """Whether the cache covers what exists, as far as it may be seen, and something may be."""
        return self._coverage.complete and not self._reach.blind

    @property
    def depth(self) -> int:
        """Trainings that wait for a worker."""
        return self._queue.depth

    def phases(self) -> Counter[str]:
        """How many trainings are in each phase."""
        return self._cache.phases()

    def unreachable(self) -> frozenset[str]:
        """The Kafka clusters that are known not to answer."""
        return self._runs.unreachable()

    def observe(self, event: WatchEvent) -> None:
        """Take a watch event."""
        key = self._cache.take(event)
        self._coverage.note()
        if key is not None:
            self._queue.add(key)

    async def work(self, leading: Callable[[], Awaitable[None]] = _at_once) -> None:
        """Reconcile what is queued, once `leading` returns and the cache covers what exists: a training whose children
        are not known yet would be given new ones. Who has stood by for long looks once more.

        Raises WatchSilent, or a ClusterError of the first look.
        """
        await self._coverage.reached()
        covered = self._monotonic()
        await leading()
        if self._monotonic() - covered > STANDBY_SECONDS:
            await self._catch_up()
        async with asyncio.TaskGroup() as group:
            for number in range(SHARE * (len(self._kafka) + 1)):
                group.create_task(self._worker(), name=f"operator-worker-{number}")
            for name, side in self._kafka.items():
                group.create_task(feel_pulse(name, side, self._runs, period=self._pulse_seconds))
            if self._resync_seconds is not None:
                group.create_task(self._resync(self._resync_seconds), name="operator-resync")

    async def _catch_up(self) -> None:
        """A watch that was cut while others led may have missed deletions: what is gone would be made again."""
        while True:
            try:
                await self._coverage.restore()
            except ClusterError as error:
                LOGGER.warning("what exists is looked for again in %.0f s: %s", CATCH_UP_SECONDS, error)
                await asyncio.sleep(CATCH_UP_SECONDS)
            else:
                return

    async def _resync(self, period: float) -> None:
        await resync(
            period,
            random=self._random,
            coverage=self._coverage,
            keys=self._cache.keys,
            look_again=self._look_again,
        )

    async def _watch(self) -> None:
        async with contextlib.aclosing(self._cluster.watch(WATCHED)) as events:
            async for event in events:
                self.observe(event)

    def _hear(self, key: TrainingKey, *, turned: bool) -> None:
        self._queue.add(key, after=COALESCE_SECONDS if turned else self._progress_seconds)

    def _look_again(self, key: TrainingKey) -> None:
        """Unless nothing was done for it that a watch does not tell of: thousands may wait to be begun."""
        if self._runs.recheck(key):
            self._queue.add(key)

    def _look_again_in(self, place: str) -> None:
        """More can be seen of it than before, or less."""
        for key in self._cache.keys() if place == EVERYWHERE else self._cache.keys_in(place):
            self._runs.recheck(key)  # what was refused for the lack of a right may be allowed now
            self._queue.add(key)

    def _lane(self, key: TrainingKey) -> str:
        name = self._cache.kafka_of(key) or self._runs.kafka_of(key)
        return name if name is not None and name in self._kafka else NO_KAFKA

    async def _worker(self) -> None:
        while True:
            try:
                key = await self._queue.take()
            except QueueClosedError:
                return
            began = self._monotonic()
            try:
                outcome = await self._reconciler.attempt(key)
            finally:
                self._queue.done(key)
            self._meter.reconciled(outcome, self._monotonic() - began)


def _call_later(delay: float, callback: Callable[[], None], /) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(delay, callback)
