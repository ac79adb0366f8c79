"""The aggregator's process: reads its bundle, takes up the journal, runs the engine, ends with a code that means
something to whoever restarts it.
"""

import logging
import os
import secrets
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from types import FrameType

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread folds; spinning helpers would take the broker's cores

from fedka import exit_codes
from fedka.aggregator.admission import Doubt, wait_to_be_let_in
from fedka.aggregator.clock import BrokerClock
from fedka.aggregator.data_plane import DataPlane
from fedka.aggregator.engine import Engine
from fedka.aggregator.events import (
    ControlRead,
    ControlSeen,
    ControlUnreadable,
    Interrupted,
    JournalAnswered,
    JournalSeen,
    KeptOut,
    SpecSeen,
    TroubleSeen,
)
from fedka.aggregator.inbox import Bound, Inbox
from fedka.aggregator.journal import (
    Fenced,
    JournalBroken,
    JournalWriter,
    NotInJournal,
    Replay,
    TopicMisconfigured,
    open_epoch,
    replay,
)
from fedka.aggregator.presence import ALIVE_SECONDS
from fedka.aggregator.specs import newest_spec, read_spec
from fedka.aggregator.tasks import Know
from fedka.aggregator.wiring import Wiring
from fedka.kafka.access import Settings, client_settings
from fedka.kafka.allocator import keep_chunk_memory
from fedka.kafka.errors import AccessRefused, KafkaError, KafkaTrouble, TopicRefused, last_word
from fedka.kafka.log_record import LogRecord, Start
from fedka.kafka.log_view import LogView
from fedka.kafka.tail import Tail, tails
from fedka.kafka.writer import RecordWriter
from fedka.strategies.choose import StrategyUnknown
from fedka.version import SOFTWARE
from fedka.wire.bundle import Bundle, BundleUnreadable, read_bundle
from fedka.wire.codec import RecordTooLarge
from fedka.wire.names import CONTROL_PARTITION
from fedka.wire.records import AggregatorStarted

LOGGER = logging.getLogger("fedka.aggregator")
ENDS: dict[type[Exception], int] = {
    Fenced: exit_codes.FENCED,
    JournalBroken: exit_codes.CONFIG,  # starting again would find the same
    TopicMisconfigured: exit_codes.CONFIG,
    RecordTooLarge: exit_codes.CONFIG,
    StrategyUnknown: exit_codes.CONFIG,
    AccessRefused: exit_codes.CONFIG,
    TopicRefused: exit_codes.CONFIG,
    NotInJournal: exit_codes.FAILED,
    KafkaError: exit_codes.FAILED,
}
NONCE_BYTES = 16
UNHANDLED_AT_MOST = Bound(events=1024, bytes=8 * 2**20)  # of one reader: records have 300 bytes, or 1 MiB in a flood

STARTS_WITHOUT_CARE = 2  # without a closed round in between: one end may have any cause


def nowhere(_point: str) -> None:
    """Stop at no point."""


def run_aggregator(
    directory: Path, *, at: Callable[[str], None] = nowhere, alive_seconds: float = ALIVE_SECONDS
) -> int:
    """Run the aggregator of the bundle in `directory`; the exit code.

    `at` is called with the name of each point of a run at which a crash is worth a test; participants
    say every `alive_seconds` that they are there.
    """
    try:
        bundle = read_bundle(directory)
    except BundleUnreadable as error:
        LOGGER.error("%s", error)  # noqa: TRY400 the message says it all
        return exit_codes.CONFIG
    keep_chunk_memory()
    try:
        process = _Process(bundle, client_settings(bundle.kafka, directory), at, alive_seconds)
    except AccessRefused as error:  # of our side, which had no need to ask a broker
        LOGGER.error("%s", error)  # noqa: TRY400 the message says it all
        return exit_codes.CONFIG
    try:
        with closing(process):  # before the last word: its clients talk on until then
            return process.run()
    except tuple(ENDS) as error:
        LOGGER.error("%s", last_word(error))  # noqa: TRY400 the message says it all
        return next(code for cause, code in ENDS.items() if isinstance(error, cause))
    except _Interrupted:
        LOGGER.info("asked to end before the run was taken up")
        return exit_codes.INTERRUPTED


class _Interrupted(BaseException):
    """SIGTERM or SIGINT before the engine runs."""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise _Interrupted


def _on_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


class _Process:
    """The clients and threads of one aggregator."""

    def __init__(self, bundle: Bundle, settings: Settings, at: Callable[[str], None], alive_seconds: float) -> None:
        self._settings = settings
        self._at = at
        self._alive_seconds = alive_seconds
        self._topics = names = bundle.topics
        self._needed = (names.journal, names.spec, names.model, names.audit, names.state)
        self._user = bundle.kafka.username or "the aggregator"
        self._inbox = Inbox()
        put = self._inbox.put
        self._doubt = Doubt(settings, self._needed, self._user, refused=lambda error: put(KeptOut(error)))
        self._view = LogView(settings, name="fedka-aggregator-view")
        self._writer = RecordWriter(settings, name="fedka-aggregator-journal", trouble=self._hear)
        self._audit = RecordWriter(settings, name="fedka-aggregator-audit", trouble=self._hear)
        self._data: DataPlane | None = None
        self._careful = False
        self._tails: list[Tail] = []

    def run(self) -> int:
        _on_signals(_interrupt)  # until the engine listens: Kafka may be away for long
        wait_to_be_let_in(self._view, self._needed, self._user)
        reading = replay(self._view, self._topics.journal)
        if reading.state.ended:
            LOGGER.info("the run has ended: nothing to do")
            return exit_codes.OK
        started = AggregatorStarted(software=SOFTWARE, instance=secrets.token_hex(NONCE_BYTES))
        reading, now_ms = open_epoch(self._view, self._writer, self._topics.journal, reading, started)
        LOGGER.info("epoch %d begins", reading.position.epoch)
        self._at("started")
        self._be_careful(reading.starts)
        self._data = DataPlane(
            settings=self._settings, topics=self._topics, emit=self._inbox.put, at=self._at, careful=self._careful
        )
        engine = self._engine(reading, BrokerClock(now_ms, time.monotonic()), self._data)
        engine.recover()
        self._data.start()
        self._follow_journal(reading.next_offset)
        self._follow_spec()
        _on_signals(lambda *_: self._inbox.put(Interrupted()))
        return engine.run()

    def close(self) -> None:
        self._inbox.close()
        for tail in self._tails:
            tail.stop()  # all at once: each takes until its consumer wakes
        for tail in self._tails:
            tail.close()
        if self._data is not None:
            self._data.close()
        self._writer.close()
        self._audit.close()
        self._view.close()

    def _be_careful(self, starts: int) -> None:
        """Where process after process ended in the same round, it may be what a participant has written."""
        self._careful = starts > STARTS_WITHOUT_CARE
        if self._careful:
            LOGGER.warning("start number %d without a round: reading slowly, one batch at a time", starts)
            self._view.close()
            self._view = LogView(self._settings, name="fedka-aggregator-view", careful=True)

    def _engine(self, reading: Replay, clock: BrokerClock, data: DataPlane) -> Engine:
        journal = JournalWriter(
            writer=self._writer,
            topic=self._topics.journal,
            reading=reading,
            on_answer=lambda record, outcome: self._inbox.put(JournalAnswered(record, outcome, time.monotonic())),
            now_ms=lambda: clock.now_ms(time.monotonic()),
        )
        wiring = Wiring(
            topics=self._topics,
            journal=journal,
            audit_writer=self._audit,
            data=data,
            view=self._view,
            clock=clock,
            monotonic=time.monotonic,
            nonce=lambda: secrets.token_hex(NONCE_BYTES),
            at=self._at,
            alive_seconds=self._alive_seconds,
        )
        return Engine(wiring=wiring, inbox=self._inbox, follow=partial(self._follow_participants, data))

    def _follow_participants(self, data: DataPlane, starts: Sequence[tuple[str, int]]) -> None:
        names = {self._topics.update(name): name for name, _ in starts}
        for topic in names:
            data.submit(Know(topic))
        put = self._inbox.source(UNHANDLED_AT_MOST)
        self._start(
            tails(
                self._settings,
                [Start(self._topics.update(name), CONTROL_PARTITION, offset) for name, offset in starts],
                deliver=lambda record: put(ControlSeen(names[record.topic], record), len(record.value or b"")),
                trouble=self._hear,
                name="fedka-aggregator-control",
                at_end=lambda topic, _partition, offset: put(ControlRead(names[topic], offset), 0),
                skips_gaps=True,  # what a participant lets its own log lose is its own loss
                unreadable=lambda topic, offset: put(ControlUnreadable(names[topic], offset), 0),
                careful=self._careful,
            )
        )

    def _follow_spec(self) -> None:
        """Act on the newest record at once, and never on those that it has replaced."""
        records = self._view.read_to_end(self._topics.spec)
        spec = newest_spec(records)
        if spec is not None:
            self._inbox.put(SpecSeen(spec))
        self._follow_one(self._topics.spec, records[-1].offset + 1 if records else 0, self._take_spec)

    def _take_spec(self, record: LogRecord) -> None:
        spec = read_spec(record)
        if spec is not None:
            self._inbox.put(SpecSeen(spec))

    def _follow_journal(self, offset: int) -> None:
        put = self._inbox.source(UNHANDLED_AT_MOST)
        self._follow_one(
            self._topics.journal, offset, lambda record: put(JournalSeen(record), len(record.value or b""))
        )

    def _follow_one(self, topic: str, offset: int, deliver: Callable[[LogRecord], None]) -> None:
        start = Start(topic, 0, offset)
        self._start(tails(self._settings, [start], deliver=deliver, trouble=self._hear, name=f"aggregator-{topic}"))

    def _start(self, started: list[Tail]) -> None:
        for tail in started:
            self._tails.append(tail)
            tail.start()

    def _hear(self, trouble: KafkaTrouble) -> None:
        self._inbox.put(TroubleSeen(trouble))
        if trouble.refused:
            self._doubt.ask()
