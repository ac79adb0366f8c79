"""An engine at a table: a journal in memory, a data plane that only takes orders, control logs that a test writes."""

from collections.abc import Sequence
from typing import cast

from fedka.aggregator import events
from fedka.aggregator.clock import BrokerClock
from fedka.aggregator.data_plane import DataPlane
from fedka.aggregator.engine import Engine
from fedka.aggregator.inbox import Inbox
from fedka.aggregator.journal import JournalWriter, Replay
from fedka.aggregator.tasks import Task
from fedka.aggregator.wiring import Wiring
from fedka.kafka.log_record import LogRecord
from fedka.kafka.log_view import LogView
from fedka.kafka.writer import RecordWriter
from fedka.wire.codec import encode, journal_decoder
from fedka.wire.journal import sign, start
from fedka.wire.names import RunTopics
from fedka.wire.records import AggregatorStarted, JournalRecord, Record, Spec

from .memory_log import MemoryLog
from .runs import RUN

JOURNAL = RunTopics(run=RUN).journal


def journal_of(*records: JournalRecord) -> Replay:
    """What a first aggregator left behind."""
    log, reading = MemoryLog(), Replay()
    log.append(start(reading.position, AggregatorStarted(software="test", instance="0" * 32)))
    reading.take(log.records[-1])
    for record in records:
        _, data = sign(reading.position, record)
        log.append(data)
        reading.take(log.records[-1])
    return reading


class ControlLogs:
    """The participants' control logs, as a view of Kafka has them: `hello` is at every offset that is asked for."""

    def __init__(self, hello: Record, *, end: int) -> None:
        self._hello = encode(hello)
        self._end = end

    def ends(self, partitions: Sequence[tuple[str, int]]) -> list[int]:
        return [self._end for _ in partitions]

    def read_each(self, places: Sequence[tuple[str, int, int]]) -> list[LogRecord | None]:
        return [LogRecord(topic, partition, offset, 0, self._hello) for topic, partition, offset in places]


class Orders:
    """A data plane that does nothing of what it is told."""

    def __init__(self) -> None:
        self.given: list[Task] = []

    def submit(self, task: Task) -> None:
        self.given.append(task)


class Table:
    """One aggregator's engine in the test's own thread. Time stands still: nothing is late."""

    def __init__(self, reading: Replay, logs: ControlLogs, spec: Spec) -> None:
        self.topics = RunTopics(run=RUN)
        self.written = MemoryLog()
        self.orders = Orders()
        writer = cast("RecordWriter", self.written)
        journal = JournalWriter(
            writer=writer, topic=JOURNAL, reading=reading, on_answer=lambda *_: None, now_ms=lambda: 0.0
        )
        self.wiring = Wiring(
            topics=self.topics,
            journal=journal,
            audit_writer=cast("RecordWriter", MemoryLog()),
            data=cast("DataPlane", self.orders),
            view=cast("LogView", logs),
            clock=BrokerClock(0, 0.0),
            monotonic=lambda: 0.0,
            nonce=lambda: "d" * 32,
            at=lambda _point: None,
        )
        self.engine = Engine(wiring=self.wiring, inbox=Inbox(), follow=lambda _starts: None)
        self.engine.recover()
        self.happens(events.SpecSeen(spec))

    def happens(self, event: events.Event) -> None:
        """One turn of the engine's loop."""
        self.engine.handle(event)
        self.engine._advance()

    def says(self, participant: str, offset: int, record: Record) -> None:
        data = encode(record)
        log_record = LogRecord(self.topics.update(participant), 0, offset, time_ms=0, value=data)
        self.happens(events.ControlSeen(participant, log_record))

    def is_read(self, participant: str, end: int) -> None:
        self.happens(events.ControlRead(participant, end))

    def journal(self) -> list[JournalRecord]:
        """What this aggregator has written."""
        decoder = journal_decoder()
        said = [decoder.decode(record.value) for record in self.written.records]
        return [record for record in said if record is not None]
