"""The participant's view of the journal: which records exist, and what they add up to."""

import logging

from fedka.kafka.log_record import LogRecord
from fedka.wire.codec import MalformedRecord, journal_decoder
from fedka.wire.journal import JournalPosition, Verdict, judge
from fedka.wire.records import JournalRecord, RoundClosed, RoundOpened
from fedka.wire.run_state import At, RunState, advance

LOGGER = logging.getLogger("fedka.participant")


class JournalUnreadable(Exception):
    """An existing journal record cannot be read: it was written by software that this one does not understand."""


class JournalView:
    """Folds journal records, in log order, into the state of the run."""

    def __init__(self) -> None:
        self.state = RunState()
        self.closed: RoundOpened | None = None  # the attempt that closed last, whose model may have to be evaluated
        self.next_offset = 0
        self._position = JournalPosition()
        self._decoder = journal_decoder()

    def take(self, record: LogRecord) -> JournalRecord | None:
        """Fold one record; the record where it exists and is of a known type. Raises JournalUnreadable."""
        self.next_offset = record.offset + 1
        self._position, verdict = judge(self._position, record.value)
        if verdict is not Verdict.VALID:
            LOGGER.debug("journal record at %d does not exist: %s", record.offset, verdict.value)
            return None
        try:
            known = self._decoder.decode(record.value)
        except MalformedRecord as error:
            raise JournalUnreadable(f"journal record at offset {record.offset}: {error}") from None
        if known is None:
            return None
        attempt = self.state.attempt
        if isinstance(known, RoundClosed) and attempt is not None:
            self.closed = attempt.opened
        self.state = advance(self.state, known, At(offset=record.offset, time_ms=record.time_ms))
        return known
