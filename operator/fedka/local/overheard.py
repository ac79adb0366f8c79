"""What a run's journal and audit topic say, overheard as the operator reads them.

The status is written once a second at most and holds the last ten rounds; rounds may take 30 ms. Who tells of every
round listens here: the same records, by the same rule of what exists, without a consumer more.
"""

from collections.abc import Sequence
from typing import Protocol

from fedka.kafka.tail import LogRecord
from fedka.reconcile.run_log import Deliver, OnTrouble, RunLogs
from fedka.wire import records as r
from fedka.wire.codec import MalformedRecord, audit_decoder, journal_decoder
from fedka.wire.journal import JournalPosition, Verdict, judge
from fedka.wire.names import RunTopics
from fedka.wire.run_state import At, RunState, advance


class Listener(Protocol):
    """Called in the event loop, before the operator takes the same record."""

    def journaled(self, record: r.JournalRecord, before: RunState, after: RunState) -> None:
        """One more record exists in the journal; the state of the run before and after it."""
        ...

    def audited(self, record: r.AuditRecord) -> None:
        """One more fact about a participant."""
        ...


class OverheardRunLogs:
    """The `RunLogs` port around another, for a run at a time."""

    def __init__(self, inner: RunLogs, listener: Listener) -> None:
        self._inner = inner
        self._listener = listener

    async def follow(self, topics: RunTopics, *, deliver: Deliver, trouble: OnTrouble) -> int:
        """See `RunLogs.follow`."""
        ear = _Ear(topics.journal, self._listener)

        def both(records: Sequence[LogRecord]) -> None:
            for record in records:
                ear.hear(record)
            deliver(records)

        return await self._inner.follow(topics, deliver=both, trouble=trouble)

    async def unfollow(self, topics: RunTopics) -> None:
        """See `RunLogs.unfollow`."""
        await self._inner.unfollow(topics)

    async def close(self) -> None:
        """See `RunLogs.close`."""
        await self._inner.close()


class _Ear:
    def __init__(self, journal: str, listener: Listener) -> None:
        self._journal = journal
        self._listener = listener
        self._position = JournalPosition()
        self._state = RunState()
        self._journal_decoder = journal_decoder()
        self._audit_decoder = audit_decoder()

    def hear(self, record: LogRecord) -> None:
        try:
            if record.topic == self._journal:
                self._hear_journal(record)
            elif (said := self._audit_decoder.decode(record.value)) is not None:
                self._listener.audited(said)
        except MalformedRecord:
            return  # it exists by position, but says nothing that this version understands; the operator notes it

    def _hear_journal(self, record: LogRecord) -> None:
        position, verdict = judge(self._position, record.value)
        if verdict is not Verdict.VALID:
            return
        self._position = position
        said = self._journal_decoder.decode(record.value)
        if said is not None:
            before, self._state = self._state, advance(self._state, said, At(record.offset, record.time_ms))
            self._listener.journaled(said, before, self._state)
