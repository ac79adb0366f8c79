"""Following the journal and the audit topic of runs that live.

A port, so that the operator can be tried without Kafka, and its adapter: consumers that many runs share, in threads,
which hand records over in batches. The hand-over is bounded: a replay of a long journal waits for the event loop
instead of filling memory.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fedka.kafka.access import Settings
from fedka.kafka.errors import KafkaAway, KafkaTrouble, TopicMissing
from fedka.kafka.log_record import LogRecord
from fedka.kafka.log_view import LogView
from fedka.kafka.shared_tail import Reader, SharedTails
from fedka.reconcile.provisioning import KafkaUnavailable, TopicRefused
from fedka.wire.names import RunTopics

HANDED_OVER_AT_MOST = 1024  # records between thread and loop: at most 256 KiB each, commonly 300 bytes
BATCH = 256  # of the loop's callbacks: a long replay must not hold up everything else

Deliver = Callable[[Sequence[LogRecord]], None]
OnTrouble = Callable[[KafkaTrouble], None]


@dataclass(frozen=True, slots=True)
class LogEnds:
    """The offsets that were to be written next, in a run's journal and in its audit topic."""

    journal: int = 0
    audit: int = 0


class RunLogs(Protocol):
    """Journals of one Kafka cluster. Callbacks come in the event loop."""

    async def follow(self, topics: RunTopics, *, deliver: Deliver, trouble: OnTrouble) -> LogEnds:
        """Deliver journal and audit topic from their first records on; their ends at the time of the call.

        Raises KafkaUnavailable or TopicRefused.
        """
        ...

    async def unfollow(self, topics: RunTopics) -> None:
        """Deliver nothing more of this run."""
        ...

    async def close(self) -> None:
        """Stop all."""
        ...


class KafkaRunLogs:
    """The adapter over real Kafka: the logs of about fifty runs on each consumer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tails = SharedTails(settings, name="fedka-operator")
        self._followed: dict[str, tuple[RunTopics, Handover]] = {}

    async def follow(self, topics: RunTopics, *, deliver: Deliver, trouble: OnTrouble) -> LogEnds:
        """See `RunLogs.follow`."""
        await self.unfollow(topics)
        ends = await asyncio.to_thread(self._ends, topics)
        handover = Handover(asyncio.get_running_loop(), deliver)
        self._followed[topics.run] = (topics, handover)
        reader = Reader(
            (topics.journal, topics.audit),
            deliver=handover.put,
            trouble=lambda news: handover.call(lambda: trouble(news)),
        )
        self._tails.follow(reader)
        return ends

    async def unfollow(self, topics: RunTopics) -> None:
        """See `RunLogs.unfollow`."""
        held = self._followed.pop(topics.run, None)
        if held is not None:
            followed, handover = held
            handover.close()
            self._tails.unfollow((followed.journal, followed.audit))

    async def close(self) -> None:
        """See `RunLogs.close`."""
        followed, self._followed = list(self._followed.values()), {}
        for _, handover in followed:
            handover.close()
        await asyncio.to_thread(self._tails.close)

    def _ends(self, topics: RunTopics) -> LogEnds:
        view = LogView(self._settings, name="fedka-operator-ends")
        try:
            return LogEnds(view.watermarks(topics.journal)[1], view.watermarks(topics.audit)[1])
        except KafkaAway as error:
            raise KafkaUnavailable(str(error)) from error
        except TopicMissing as error:
            raise TopicRefused(str(error)) from error
        finally:
            view.close()


class Handover:
    """A bounded way from one thread into the event loop. `put` waits while it is full."""

    def __init__(self, loop: asyncio.AbstractEventLoop, deliver: Deliver, *, limit: int = HANDED_OVER_AT_MOST) -> None:
        self._loop = loop
        self._deliver = deliver
        self._limit = limit
        self._records: deque[LogRecord] = deque()
        self._changed = threading.Condition()
        self._scheduled = False
        self._closed = False

    def put(self, record: LogRecord) -> None:
        """From the thread: hand a record over."""
        with self._changed:
            while len(self._records) >= self._limit and not self._closed:
                self._changed.wait()
            if self._closed:
                return
            self._records.append(record)
            if not self._scheduled:
                self._scheduled = True
                self._loop.call_soon_threadsafe(self._drain)

    def call(self, callback: Callable[[], None]) -> None:
        """From the thread: run something in the loop."""
        with self._changed:
            if not self._closed:
                self._loop.call_soon_threadsafe(self._unless_closed, callback)

    def close(self) -> None:
        """From the loop: deliver nothing more, and let the thread go."""
        with self._changed:
            self._closed = True
            self._records.clear()
            self._changed.notify_all()

    def _unless_closed(self, callback: Callable[[], None]) -> None:
        if not self._closed:
            callback()

    def _drain(self) -> None:
        with self._changed:
            batch = [self._records.popleft() for _ in range(min(BATCH, len(self._records)))]
            self._scheduled = bool(self._records)
            if self._scheduled:
                self._loop.call_soon(self._drain)
            self._changed.notify_all()
        if batch:
            self._deliver(batch)
