"""The journal's writer and its reading, on a log in memory."""
# ruff: noqa: ARG002  the ports' signatures

from collections.abc import Callable

import pytest

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
from fedka.kafka.errors import WriteFailed
from fedka.kafka.log_record import LogRecord
from fedka.kafka.writer import Outcome, Written
from fedka.wire.journal import JournalPosition, Verdict, sign, start
from fedka.wire.records import AggregatorStarted, JournalRecord, ParticipantJoined, RoundClosed, RoundOpened

from .memory_log import MemoryLog
from .runs import MODEL, opened

TOPIC = "journal"
STARTED = AggregatorStarted(software="test", instance="1" * 32)
OTHER = AggregatorStarted(software="test", instance="2" * 32)
JOINED = ParticipantJoined(participant="a", offset=0)


class Epoch:
    """A writer of the log's next epoch, and what it was answered."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        reading, self.time_ms = open_epoch(log, log, TOPIC, replay(log, TOPIC), STARTED)
        self.answers: list[tuple[JournalRecord, Outcome]] = []
        self.writer = JournalWriter(
            writer=log,
            topic=TOPIC,
            reading=reading,
            on_answer=lambda record, outcome: self.answers.append((record, outcome)),
            now_ms=lambda: 5.0,
        )

    def check(self, record: LogRecord) -> None:
        self.writer.check(record)


def test_an_empty_journal_is_opened_with_the_first_epoch() -> None:
    epoch = Epoch(MemoryLog())
    assert (epoch.writer.position.epoch, epoch.writer.position.seq) == (1, 0)
    assert epoch.time_ms == epoch.log.records[0].time_ms


def test_each_epoch_is_the_next_and_keeps_the_state() -> None:
    log = MemoryLog()
    Epoch(log).writer.append(JOINED)
    second = Epoch(log)
    assert second.writer.position.epoch == 2
    assert second.writer.state.present == {"a": 0}


def test_the_state_advances_with_the_record_not_with_its_answer() -> None:
    epoch = Epoch(MemoryLog(answering=False))
    epoch.writer.append(JOINED)
    assert epoch.writer.state.present == {"a": 0}
    assert (epoch.writer.unanswered, epoch.answers) == (1, [])


def test_an_opening_counts_from_the_brokers_time_of_it() -> None:
    epoch = Epoch(MemoryLog())
    epoch.writer.append(opened(0))
    ((record, outcome),) = epoch.answers
    assert not isinstance(outcome, WriteFailed)
    epoch.writer.answered(record, outcome)
    assert epoch.writer.state.attempt is not None
    assert epoch.writer.state.attempt.at.time_ms == outcome.time_ms
    assert epoch.writer.unanswered == 0


def test_a_late_answer_does_not_touch_another_attempt() -> None:
    epoch = Epoch(MemoryLog())
    epoch.writer.append(opened(0, nonce="1" * 32))
    epoch.writer.append(opened(0, attempt=2, nonce="2" * 32))
    (first, outcome), _ = epoch.answers
    assert not isinstance(outcome, WriteFailed)
    assert isinstance(first, RoundOpened)
    epoch.writer.answered(first, outcome)
    assert epoch.writer.state.attempt is not None
    assert epoch.writer.state.attempt.at.time_ms == 5


def test_what_it_wrote_reads_back_as_its_state() -> None:
    epoch = Epoch(MemoryLog())
    epoch.writer.append(JOINED)
    epoch.writer.append(opened(0))
    for record in epoch.log.records[1:]:
        epoch.check(record)
    reading = replay(epoch.log, TOPIC)
    assert reading.position == epoch.writer.position
    assert reading.state.present == epoch.writer.state.present


def test_a_predecessors_late_record_changes_nothing() -> None:
    log = MemoryLog()
    zombie = Epoch(log)
    epoch = Epoch(log)
    zombie.writer.append(JOINED)
    epoch.check(log.records[-1])
    epoch.writer.append(opened(0))
    epoch.check(log.records[-1])
    assert replay(log, TOPIC).state.present == {}


def test_a_higher_epoch_fences() -> None:
    log = MemoryLog()
    first = Epoch(log)
    Epoch(log)
    with pytest.raises(Fenced, match="epoch 2"):
        first.check(log.records[-1])


def test_who_opens_the_same_epoch_later_is_fenced() -> None:
    log = MemoryLog()
    read_by_both = replay(log, TOPIC)
    log.append(start(read_by_both.position, OTHER))
    with pytest.raises(Fenced):
        open_epoch(log, log, TOPIC, read_by_both, STARTED)


def test_a_start_that_a_retry_wrote_twice_is_still_ours() -> None:
    log = MemoryLog()
    reading = replay(log, TOPIC)
    log.append(start(reading.position, STARTED))
    opened_by, _ = open_epoch(log, log, TOPIC, reading, STARTED)
    assert opened_by.position.epoch == 1


class LostAnswer(MemoryLog):
    """The answer to the first request is lost; whatever `meanwhile` does comes before the client repeats it."""

    def __init__(self, meanwhile: Callable[["LostAnswer"], None]) -> None:
        super().__init__()
        self.meanwhile: Callable[[LostAnswer], None] | None = meanwhile

    def write_now(self, topic: str, partition: int, data: bytes) -> Written:
        first, meanwhile, self.meanwhile = self.append(data), self.meanwhile, None
        if meanwhile is None:
            return first
        meanwhile(self)
        return self.append(data)


def test_a_start_that_is_repeated_after_a_successors_is_fenced() -> None:
    """Else two would write in the successor's epoch, and neither would notice."""
    log = LostAnswer(lambda log: open_epoch(log, log, TOPIC, replay(log, TOPIC), OTHER) and None)
    with pytest.raises(Fenced, match="epoch 2"):
        open_epoch(log, log, TOPIC, replay(log, TOPIC), STARTED)


def test_a_start_that_is_repeated_alone_is_still_ours() -> None:
    log = LostAnswer(lambda _log: None)
    opened_by, _ = open_epoch(log, log, TOPIC, replay(log, TOPIC), STARTED)
    assert (opened_by.position.epoch, len(log.records)) == (1, 2)


def test_another_who_writes_in_our_epoch_is_noticed() -> None:
    epoch = Epoch(MemoryLog())
    epoch.log.append(sign(epoch.writer.position, ParticipantJoined(participant="b", offset=0))[1])
    epoch.writer.append(JOINED)  # which does not exist any more: its place is taken
    with pytest.raises(NotInJournal, match="another aggregator wrote the record at 1"):
        epoch.check(epoch.log.records[1])


def test_a_repeated_record_of_ours_is_no_strangers() -> None:
    epoch = Epoch(MemoryLog())
    epoch.writer.append(JOINED)
    epoch.log.append(epoch.log.records[-1].value or b"")
    epoch.writer.append(ParticipantJoined(participant="b", offset=0))
    for record in epoch.log.records[1:]:
        epoch.check(record)
    assert replay(epoch.log, TOPIC).position == epoch.writer.position


@pytest.mark.parametrize("answered_first", [True, False])
def test_a_repeated_opening_counts_from_its_first_copy(answered_first: bool) -> None:
    """As participants, a successor and a replay read it: the second copy does not exist."""
    epoch = Epoch(MemoryLog(answering=False))
    opening = opened(0)
    epoch.writer.append(opening)
    again = epoch.log.append(epoch.log.records[-1].value or b"")
    if answered_first:
        epoch.writer.answered(opening, again)
    for record in epoch.log.records[1:]:
        epoch.check(record)
    if not answered_first:
        epoch.writer.answered(opening, again)
    told, read = epoch.writer.state.attempt, replay(epoch.log, TOPIC).state.attempt
    assert told is not None
    assert read is not None
    assert told.deadline_ms == read.deadline_ms


def test_a_journal_without_the_brokers_time_is_refused() -> None:
    log = MemoryLog(by_broker=False)
    with pytest.raises(TopicMisconfigured, match="LogAppendTime"):
        open_epoch(log, log, TOPIC, replay(log, TOPIC), STARTED)


def test_a_predecessors_record_before_our_own_start_counts() -> None:
    log = MemoryLog()
    first = Epoch(log)
    reading = replay(log, TOPIC)
    first.writer.append(JOINED)
    opened_by, _ = open_epoch(log, log, TOPIC, reading, STARTED)
    assert opened_by.state.present == {"a": 0}


@pytest.mark.parametrize("fault", ["gap", "chain"])
def test_a_record_of_this_epoch_that_does_not_fit_is_noticed(fault: str) -> None:
    epoch = Epoch(MemoryLog())
    position = epoch.writer.position
    wrong = (
        JournalPosition(epoch=1, seq=position.seq + 1, chain=position.chain)
        if fault == "gap"
        else JournalPosition(epoch=1, seq=position.seq, chain=bytes(32))
    )
    epoch.log.append(sign(wrong, JOINED)[1])
    with pytest.raises(NotInJournal):
        epoch.check(epoch.log.records[-1])


def test_rubbish_is_not_ours() -> None:
    epoch = Epoch(MemoryLog())
    for rubbish in (b"", b"{", b'{"type":"x","v":1}'):
        epoch.log.append(rubbish)
        epoch.check(epoch.log.records[-1])


def test_a_journal_without_its_head_is_broken() -> None:
    log = MemoryLog()
    Epoch(log)
    log.low = 1
    with pytest.raises(JournalBroken, match="first 1 records"):
        replay(log, TOPIC)


def test_a_journal_that_nobody_opened_is_broken() -> None:
    log = MemoryLog()
    log.append(b"{}")
    with pytest.raises(JournalBroken, match="none that opens an epoch"):
        replay(log, TOPIC)


def test_a_repeated_request_is_read_once() -> None:
    log = MemoryLog()
    Epoch(log).writer.append(JOINED)
    log.append(log.records[-1].value or b"")
    reading = Replay()
    verdicts = [reading.take(record) for record in log.records]
    assert verdicts == [Verdict.VALID, Verdict.VALID, Verdict.REPEATED]
    assert reading.next_offset == 3


def test_a_record_that_a_newer_version_wrote_is_not_passed_over() -> None:
    """Its successor would go on without what it says; it ends by a code that has nobody start it again."""
    log = MemoryLog()
    epoch = Epoch(log)
    _, data = sign(epoch.writer.position, JOINED)
    log.append(data.replace(b'"participant"', b'"newMember":1,"participant"'))
    with pytest.raises(JournalBroken, match=r"the record at 1 of the journal: participant.joined record: newMember"):
        replay(log, TOPIC)


def test_starts_are_counted_since_the_last_closed_round() -> None:
    log = MemoryLog()
    for _ in range(3):
        Epoch(log)
    assert replay(log, TOPIC).starts == 3
    Epoch(log).writer.append(RoundClosed(round=0, attempt=1, model=MODEL, accepted=1, rejected=0, evaluate=False))
    assert replay(log, TOPIC).starts == 0
    Epoch(log)
    assert replay(log, TOPIC).starts == 1
