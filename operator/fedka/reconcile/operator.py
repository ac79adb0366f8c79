"""The operator: fed with watch events, it reconciles one training after another until stopped.

The same object is driven by the watch of the in-memory cluster in `fedka run` (`run`), and by Kopf on Kubernetes (which
calls `observe` and `work` itself).
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any

from fedka.plan.planner import make_plan
from fedka.plan.settings import Settings
from fedka.plan.topics import PROBE_SECONDS
from fedka.reconcile.apply import Applier, NotLeaderError, Subject
from fedka.reconcile.cache import WATCHED, Cache, TrainingKey
from fedka.reconcile.children import ChildRefusedError
from fedka.reconcile.kafka_side import KafkaSide
from fedka.reconcile.observe import observe
from fedka.reconcile.ports import Cluster, Conflict, NotFound, WatchEvent
from fedka.reconcile.provisioning import KafkaUnavailable, TopicRefused
from fedka.reconcile.queue import KeyedQueue, QueueClosedError
from fedka.reconcile.runs import Runs
from fedka.reconcile.throttle import StatusThrottle

LOGGER = logging.getLogger("fedka.reconcile")
WORKERS = 4
COALESCE_SECONDS = 0.05  # of journal news: a round writes a dozen records in 30 ms, one look at them is enough
BARRIER_SECONDS = 1.0


class Operator:
    """Reconciles every training of a cluster.

    `kafka` has a side for each entry of `settings.kafka_clusters`; the operator closes them when it ends. `clock` gives
    aware datetimes, `still_leader` is asked before every change.
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
    ) -> None:
        self._cluster = cluster
        self._kafka = kafka
        self._settings = settings
        self._clock = clock
        self._cache = Cache()
        self._queue: KeyedQueue[TrainingKey] = KeyedQueue(now=monotonic, timer=_call_later, random=random)
        self._runs = Runs(kafka=kafka, clock=clock, news=lambda key: self._queue.add(key, after=COALESCE_SECONDS))
        self._throttle: StatusThrottle[TrainingKey] = StatusThrottle(now=monotonic)
        self._applier = Applier(
            cluster=cluster, kafka=kafka, throttle=self._throttle, still_leader=still_leader, clock=clock
        )
        self._observed = asyncio.Event()
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
            self._queue.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*(side.close() for side in self._kafka.values()))

    async def stop(self) -> None:
        """Let `run` end; what is running is cancelled between two steps and is found again at the next start."""
        self._stopping.set()

    def observe(self, event: WatchEvent) -> None:
        """Take a watch event."""
        key = self._cache.take(event)
        self._observed.set()
        if key is not None:
            self._queue.add(key)

    async def work(self) -> None:
        """Reconcile what is queued, once the cache covers what exists: a training whose children are not known yet
        would be given new ones.
        """
        await self._barrier()
        async with asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                group.create_task(self._worker(), name=f"operator-worker-{number}")

    async def _watch(self) -> None:
        async with contextlib.aclosing(self._cluster.watch(WATCHED)) as events:
            async for event in events:
                self.observe(event)

    async def _barrier(self) -> None:
        while not await self._covered():
            self._observed.clear()
            with contextlib.suppress(
                TimeoutError
            ):  # what was deleted before the watch began is never told of: list anew
                async with asyncio.timeout(BARRIER_SECONDS):  # wait_for of Python 3.11 may swallow a cancellation
                    await self._observed.wait()
        self._cache.forget_seen()

    async def _covered(self) -> bool:
        for kind in WATCHED:
            if not self._cache.covers(kind, await self._cluster.list(kind)):
                return False
        return True

    async def _worker(self) -> None:
        while True:
            try:
                key = await self._queue.take()
            except QueueClosedError:
                return
            try:
                await self._attempt(key)
            finally:
                self._queue.done(key)

    async def _attempt(self, key: TrainingKey) -> None:
        """Reconcile once; whatever goes wrong is dealt with here, so that one training cannot stop the others."""
        try:
            await self.reconcile(key)
        except (Conflict, NotFound) as error:
            LOGGER.debug("%s has changed meanwhile: %s", key, error)
            self._queue.retry(key)
        except ChildRefusedError as error:
            LOGGER.warning("%s: %s", key, error)
            self._queue.add(key)  # now that it is known, the status can say it
        except KafkaUnavailable as error:
            LOGGER.warning("%s: Kafka is not reached: %s", key, error)
            self._queue.add(key, after=0.0 if self._runs.note_unavailable(key, str(error)) else PROBE_SECONDS)
        except TopicRefused as error:
            LOGGER.warning("%s: Kafka refuses: %s", key, error)
            self._runs.note_refused(key, str(error))
            self._queue.add(key)
        except NotLeaderError as error:
            LOGGER.info("%s is left alone: %s", key, error)
        except Exception:
            delay = self._queue.retry(key)
            LOGGER.exception("reconciling %s failed; tried again in %.1f s", key, delay)
        else:
            self._queue.succeeded(key)

    async def reconcile(self, key: TrainingKey) -> None:
        """Observe, plan, apply."""
        cached = self._cache.training(key)
        if cached is None:
            await self._runs.forget(key)
            self._throttle.forget(key)
            return
        memory = await self._runs.memory(key, cached.training)
        snapshot = observe(cached, cache=self._cache, memory=memory, settings=self._settings, now=self._clock())
        plan = make_plan(snapshot)
        after = plan.requeue_after
        if not plan.is_empty():
            deliver, trouble = self._runs.receivers(key, memory)
            subject = Subject(key, cached, memory, snapshot, deliver=deliver, trouble=trouble)
            after = await self._applier.apply(plan, subject)
            if plan.teaches():
                self._queue.add(key)  # no watch event will tell of what was learnt of Kafka
        if after is not None:
            self._queue.add(key, after=after)


def _call_later(delay: float, callback: Callable[[], None], /) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(delay, callback)
