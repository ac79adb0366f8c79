"""What is told of a journal: what exists by its rule, and which of it is of the past."""

from collections.abc import Sequence

import pytest

from fedka.kafka.log_record import LogRecord
from fedka.local.overheard import OverheardRunLogs
from fedka.reconcile.run_log import Deliver, LogEnds, OnTrouble
from fedka.wire import records as r
from fedka.wire.codec import encode
from fedka.wire.journal import JournalPosition, judge
from fedka.wire.names import RunTopics
from fedka.wire.run_state import RunState

TOPICS = RunTopics(run="default.fraud.1")


class Logs:
    """Run logs whose records come when the test says so."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._position = JournalPosition()
        self._offset = 0
        self.delivered: list[LogRecord] = []
        self.early: list[LogRecord] = []

    async def follow(self, topics: RunTopics, *, deliver: Deliver, trouble: OnTrouble) -> LogEnds:  # noqa: ARG002  the port's signature
        self.deliver = deliver
        if self.early:
            deliver(self.early)
        return LogEnds(self._end)

    async def unfollow(self, topics: RunTopics) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    def journal(self, record: r.JournalRecord) -> LogRecord:
        started = isinstance(record, r.AggregatorStarted)
        record = record.model_copy(
            update={
                "epoch": self._position.epoch + started,
                "seq": 0 if started else self._position.seq + 1,
                "chain": self._position.chain.hex(),
            }
        )
        made = LogRecord(TOPICS.journal, 0, self._offset, self._offset, encode(record))
        self._position, _ = judge(self._position, made.value)
        self._offset += 1
        return made

    def audit(self, epoch: int, participant: str) -> LogRecord:
        said = r.UpdateAudited(epoch=epoch, round=1, attempt=1, participant=participant, offset=0, accepted=True)
        return LogRecord(TOPICS.audit, 0, 0, 0, encode(said))


class Heard:
    """A listener."""

    def __init__(self) -> None:
        self.journal: list[tuple[str, bool]] = []
        self.audit: list[str] = []
        self.after = RunState()

    def journaled(self, record: r.JournalRecord, before: RunState, after: RunState, *, past: bool) -> None:
        assert before == self.after
        self.after = after
        self.journal.append((record.type, past))

    def audited(self, record: r.AuditRecord) -> None:
        assert isinstance(record, r.UpdateAudited)
        self.audit.append(record.participant)


STARTED = r.AggregatorStarted(software="fedka")
JOINED = r.ParticipantJoined(participant="bank-a", offset=0)


@pytest.fixture
def heard():
    return Heard()


async def follow(logs: Logs, heard: Heard) -> None:
    def deliver(records: Sequence[LogRecord]) -> None:
        logs.delivered.extend(records)

    ends = await OverheardRunLogs(logs, heard).follow(TOPICS, deliver=deliver, trouble=lambda _: None)
    assert ends.journal == logs._end


async def test_of_a_new_run_everything_is_news(heard):
    logs = Logs(end=0)
    await follow(logs, heard)
    logs.deliver([logs.journal(STARTED), logs.journal(JOINED), logs.audit(1, "bank-a")])
    assert heard.journal == [("aggregator.started", False), ("participant.joined", False)]
    assert heard.audit == ["bank-a"]


async def test_what_was_there_before_is_of_the_past(heard):
    logs = Logs(end=2)
    await follow(logs, heard)
    logs.deliver([logs.journal(STARTED), logs.journal(JOINED), logs.journal(STARTED)])
    assert [past for _, past in heard.journal] == [True, True, False]


async def test_records_that_come_before_the_end_is_known_are_told_rightly(heard):
    logs = Logs(end=1)
    logs.early = [logs.journal(STARTED), logs.journal(JOINED)]
    await follow(logs, heard)
    assert heard.journal == [("aggregator.started", True), ("participant.joined", False)]


async def test_audit_records_of_the_past_are_not_told_whenever_they_come(heard):
    logs = Logs(end=1)
    await follow(logs, heard)
    logs.deliver([logs.audit(1, "before"), logs.journal(STARTED), logs.audit(1, "also"), logs.audit(2, "now")])
    assert heard.audit == ["now"]


async def test_what_does_not_exist_in_the_journal_is_not_told_but_delivered(heard):
    logs = Logs(end=0)
    await follow(logs, heard)
    zombie = LogRecord(TOPICS.journal, 0, 0, 0, encode(JOINED.model_copy(update={"epoch": 7, "seq": 3})))
    rubbish = LogRecord(TOPICS.journal, 0, 1, 0, b"not a record")
    logs.deliver([zombie, rubbish])
    assert heard.journal == []
    assert logs.delivered == [zombie, rubbish]
