"""What a run's journal and audit topic say, overheard as the operator reads them.

The status is written once a second at most and holds the last ten rounds; rounds may take 30 ms. Who tells of every
round listens here: the same records, by the same rule of what exists, without a consumer more.
"""

from collections.abc import Sequence
from typing import Protocol

from fedka.kafka.log_record import LogRecord
from fedka.reconcile.run_log import Deliver, LogEnds, OnTrouble, RunLogs
from fedka.wire import records as r
from fedka.wire.codec import MalformedRecord, audit_decoder
from fedka.wire.names import RunTopics
from fedka.wire.reading import Reading, read_on
from fedka.wire.run_state import At, RunState


class Listener(Protocol):
    """Called in the event loop, before the operator takes the same record."""

    def journaled(self, record: r.JournalRecord, before: RunState, after: RunState, *, past: bool) -> None:
        """One more record exists in the journal; the state of the run before and after it.

        `past`: it was there already when the reading began, so it is of a run that goes on.
        """
        ...

    def audited(self, record: r.AuditRecord) -> None:
        """One more fact about a participant; those of the past are not told."""
        ...


class OverheardRunLogs:
    """The `RunLogs` port around another, for a run at a time."""

    def __init__(self, inner: RunLogs, listener: Listener) -> None:
        self._inner = inner
        self._listener = listener

    async def follow(self, topics: RunTopics, *, deliver: Deliver, trouble: OnTrouble) -> LogEnds:
        """See `RunLogs.follow`."""
        ear = _Ear(topics.journal, self._listener)

        def both(records: Sequence[LogRecord]) -> None:
            for record in records:
                ear.hear(record)
            deliver(records)

        ends = await self._inner.follow(topics, deliver=both, trouble=trouble)
        ear.begin(ends.journal)
        return ends

    async def unfollow(self, topics: RunTopics) -> None:
        """See `RunLogs.unfollow`."""
        await self._inner.unfollow(topics)

    async def close(self) -> None:
        """See `RunLogs.close`."""
        await self._inner.close()


class _Ear:
    """Holds records back until it is known which of them are of the past."""

    def __init__(self, journal: str, listener: Listener) -> None:
        self._journal = journal
        self._listener = listener
        self._end: int | None = None  # of the journal, when the reading began
        self._past_epoch = 0
        self._next = 0
        self._held: list[LogRecord] = []
        self._reading = Reading()
        self._audit_decoder = audit_decoder()

    def begin(self, end: int) -> None:
        self._end = end
        self._release()

    def hear(self, record: LogRecord) -> None:
        if self._end is None or (record.topic != self._journal and self._next < self._end):
            self._held.append(record)
            return
        if record.topic == self._journal:
            self._hear_journal(record, past=record.offset < self._end)
        else:
            self._hear_audit(record)

    def _release(self) -> None:
        held, self._held = self._held, []
        for record in held:
            self.hear(record)

    def _hear_journal(self, record: LogRecord, *, past: bool) -> None:
        self._next = record.offset + 1
        before = self._reading.state
        self._reading, found = read_on(self._reading, record.value, At(record.offset, record.time_ms))
        if found.said is not None:  # what exists and cannot be read, the operator notes
            self._listener.journaled(found.said, before, self._reading.state, past=past)
        if past and self._next == self._end:
            self._past_epoch = self._reading.position.epoch
            self._release()

    def _hear_audit(self, record: LogRecord) -> None:
        try:
            said = self._audit_decoder.decode(record.value)
        except MalformedRecord:
            return
        if said is not None and said.epoch > self._past_epoch:
            self._listener.audited(said)
