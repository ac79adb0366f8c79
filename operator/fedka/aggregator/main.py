"""The aggregator's process: reads its bundle, takes up the journal, runs the engine, ends with a code that means
something to whoever restarts it.
"""

import logging
import os
import queue
import secrets
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread folds; spinning helpers would take the broker's cores

from fedka import exit_codes
from fedka.aggregator.clock import BrokerClock
from fedka.aggregator.data_plane import DataPlane, Know
from fedka.aggregator.engine import Engine
from fedka.aggregator.events import ControlSeen, Event, Interrupted, JournalAnswered, JournalSeen, SpecSeen, TroubleSeen
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
from fedka.aggregator.roster import HelloLost
from fedka.aggregator.wiring import Wiring
from fedka.kafka.access import Settings, client_settings
from fedka.kafka.allocator import keep_chunk_memory
from fedka.kafka.errors import KafkaAway, KafkaError
from fedka.kafka.tail import LogRecord, LogView, Start, Tail, tails
from fedka.kafka.writer import RecordWriter
from fedka.version import SOFTWARE
from fedka.wire.bundle import Bundle, BundleUnreadable, read_bundle
from fedka.wire.names import CONTROL_PARTITION
from fedka.wire.records import AggregatorStarted

LOGGER = logging.getLogger("fedka.aggregator")
NONCE_BYTES = 16


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
    settings = client_settings(bundle.kafka, directory)
    process = _Process(bundle, settings, at, alive_seconds)
    try:
        return process.run()
    except Fenced as error:
        LOGGER.error("fenced: %s", error)  # noqa: TRY400
        return exit_codes.FENCED
    except (JournalBroken, HelloLost, TopicMisconfigured) as error:
        LOGGER.error("%s", error)  # noqa: TRY400
        return exit_codes.CONFIG
    except NotInJournal as error:
        LOGGER.error("%s", error)  # noqa: TRY400
        return exit_codes.FAILED
    except KafkaError as error:
        LOGGER.error("Kafka: %s", error)  # noqa: TRY400
        return exit_codes.FAILED
    finally:
        process.close()


class _Process:
    """The clients and threads of one aggregator."""

    def __init__(self, bundle: Bundle, settings: Settings, at: Callable[[str], None], alive_seconds: float) -> None:
        self._bundle = bundle
        self._settings = settings
        self._at = at
        self._alive_seconds = alive_seconds
        self._topics = bundle.topics
        self._inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._view = LogView(settings, name="fedka-aggregator-view")
        self._writer = RecordWriter(settings, name="fedka-aggregator-journal")
        self._audit = RecordWriter(settings, name="fedka-aggregator-audit")
        self._data = DataPlane(settings=settings, topics=self._topics, emit=self._inbox.put, at=at)
        self._tails: list[Tail] = []

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._inbox.put(Interrupted()))
        self._wait_for_topics()
        reading = replay(self._view, self._topics.journal)
        if reading.state.ended:
            LOGGER.info("the run has ended: nothing to do")
            return exit_codes.OK
        started = AggregatorStarted(software=SOFTWARE, instance=secrets.token_hex(NONCE_BYTES))
        reading, now_ms = open_epoch(self._view, self._writer, self._topics.journal, reading, started)
        LOGGER.info("epoch %d begins", reading.position.epoch)
        self._at("started")
        engine = self._engine(reading, BrokerClock(now_ms, time.monotonic()))
        engine.recover()
        self._data.start()
        self._follow([Start(self._topics.journal, 0, reading.next_offset)], "journal", JournalSeen)
        self._follow([Start(self._topics.spec)], "spec", SpecSeen)
        return engine.run()

    def close(self) -> None:
        for tail in self._tails:
            tail.stop()  # all at once: each takes until its consumer wakes
        for tail in self._tails:
            tail.close()
        self._data.close()
        self._writer.close()
        self._audit.close()
        self._view.close()

    def _wait_for_topics(self) -> None:
        topics = (self._topics.journal, self._topics.spec, self._topics.model, self._topics.audit)
        while True:
            try:
                self._view.check_topics(topics, self._bundle.kafka.username or "the aggregator")
            except KafkaAway as error:
                LOGGER.warning("waiting for Kafka at %s: %s", self._bundle.kafka.bootstrap_servers, error)
            else:
                return

    def _engine(self, reading: Replay, clock: BrokerClock) -> Engine:
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
            data=self._data,
            view=self._view,
            clock=clock,
            monotonic=time.monotonic,
            nonce=lambda: secrets.token_hex(NONCE_BYTES),
            at=self._at,
            alive_seconds=self._alive_seconds,
        )
        return Engine(wiring=wiring, inbox=self._inbox, follow=self._follow_participants)

    def _follow_participants(self, starts: Sequence[tuple[str, int]]) -> None:
        names = {self._topics.update(name): name for name, _ in starts}
        for topic in names:
            self._data.submit(Know(topic))
        self._follow(
            [Start(self._topics.update(name), CONTROL_PARTITION, offset) for name, offset in starts],
            "control",
            lambda record: ControlSeen(names[record.topic], record),
        )

    def _follow(self, starts: Sequence[Start], name: str, event: Callable[[LogRecord], Event]) -> None:
        for tail in tails(
            self._settings,
            starts,
            deliver=lambda record: self._inbox.put(event(record)),
            trouble=lambda trouble: self._inbox.put(TroubleSeen(trouble)),
            name=f"fedka-aggregator-{name}",
        ):
            self._tails.append(tail)
            tail.start()
