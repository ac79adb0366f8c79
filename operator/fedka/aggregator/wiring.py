"""What the engine's parts share: the journal, the audit log, the data plane, a view of Kafka, clocks."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from fedka.aggregator.clock import BrokerClock
from fedka.aggregator.data_plane import DataPlane
from fedka.aggregator.journal import JournalWriter
from fedka.aggregator.presence import ALIVE_SECONDS
from fedka.kafka.errors import WriteFailed
from fedka.kafka.log_view import LogView
from fedka.kafka.writer import RecordWriter
from fedka.wire.codec import encode
from fedka.wire.names import RunTopics
from fedka.wire.records import AuditRecord, JournalRecord
from fedka.wire.run_state import RunState

LOGGER = logging.getLogger("fedka.aggregator")


@dataclass(slots=True)
class Wiring:
    """`monotonic` gives seconds; `at` is told the named points of a run, for those who want to stop there."""

    topics: RunTopics
    journal: JournalWriter
    audit_writer: RecordWriter
    data: DataPlane
    view: LogView
    clock: BrokerClock
    monotonic: Callable[[], float]
    nonce: Callable[[], str]
    at: Callable[[str], None]
    alive_seconds: float = ALIVE_SECONDS

    @property
    def state(self) -> RunState:
        """The run as the journal tells it, our last record included."""
        return self.journal.state

    @property
    def run(self) -> str:
        """The run's id."""
        return self.topics.run

    def append(self, record: JournalRecord) -> None:
        """Write the journal's next record."""
        self.at(f"before {record.type}")
        self.journal.append(record)
        self.at(f"appended {record.type}")

    def audit(self, record: AuditRecord) -> None:
        """Write a fact about a participant; informational, so a failure is only logged."""
        position = self.journal.position
        placed = record.model_copy(update={"epoch": position.epoch, "seq": position.seq})
        try:
            self.audit_writer.write(self.topics.audit, 0, encode(placed))
        except WriteFailed as error:
            LOGGER.warning("%s", error)
