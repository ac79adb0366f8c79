"""The participant's view of the journal: which records exist, and what they add up to."""

import logging

from fedka.kafka.log_record import LogRecord
from fedka.wire.journal import Verdict
from fedka.wire.reading import Reading, read_on
from fedka.wire.records import JournalRecord, RoundClosed, RoundOpened
from fedka.wire.run_state import At, RunState

LOGGER = logging.getLogger("fedka.participant")


class JournalUnreadable(Exception):
    """An existing journal record cannot be read: it was written by software that this one does not understand."""


class JournalView:
    """Folds journal records, in log order, into the state of the run."""

    def __init__(self) -> None:
        self.closed: RoundOpened | None = None  # the attempt that closed last, whose model may have to be evaluated
        self.next_offset = 0
        self._reading = Reading()

    @property
    def state(self) -> RunState:
        """What all records so far add up to."""
        return self._reading.state

    def take(self, record: LogRecord) -> JournalRecord | None:
        """Fold one record; the record where it exists and is of a known type. Raises JournalUnreadable."""
        self.next_offset = record.offset + 1
        attempt = self.state.attempt
        self._reading, found = read_on(self._reading, record.value, At(record.offset, record.time_ms))
        if found.verdict is not Verdict.VALID:
            LOGGER.debug("journal record at %d does not exist: %s", record.offset, found.verdict.value)
        if found.problem is not None:
            raise JournalUnreadable(f"journal record at offset {record.offset}: {found.problem}")
        if isinstance(found.said, RoundClosed) and attempt is not None:
            self.closed = attempt.opened
        return found.said
