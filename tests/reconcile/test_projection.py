"""The projection: what does not exist changes nothing, and reading in pieces is reading at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedka.reconcile.projection import Projection, caught_up, has_turned, read_audit, read_journal
from fedka.wire import records as r
from fedka.wire.codec import encode
from fedka.wire.journal import JournalPosition, judge, sign, start
from fedka.wire.run_state import At

from .builders import first_model, joined, opened, whole_round

STORY: tuple[r.JournalRecord, ...] = (
    *joined("a", "b"),
    *first_model("a"),
    *whole_round(1, "a", "b"),
    opened(2, "a", "b"),
    r.UpdateAccepted(round=2, attempt=1, participant="a", offset=20),
    r.UpdateRejected(round=2, attempt=1, participant="b", offset=21, final=True),
)


def write(*epochs: tuple[r.JournalRecord, ...]) -> list[bytes]:
    """The journal of as many aggregators as there are epochs."""
    position, log = JournalPosition(), []
    for records in epochs:
        data = start(position, r.AggregatorStarted(software="test"))
        position, _ = judge(position, data)
        log.append(data)
        for record in records:
            position, data = sign(position, record)
            log.append(data)
    return log


def read(log: list[bytes], projection: Projection | None = None, first: int = 0) -> Projection:
    projection = projection or Projection()
    for offset, data in enumerate(log, start=first):
        projection = read_journal(projection, data, At(offset, 1000 * offset))
    return projection


def audited(participant: str, offset: int, *, epoch: int = 1, accepted: bool = False, message: str = "") -> bytes:
    reason = None if accepted else r.RejectReason.OUT_OF_RANGE
    return encode(
        r.UpdateAudited(
            epoch=epoch,
            seq=1,
            round=2,
            attempt=1,
            participant=participant,
            offset=offset,
            accepted=accepted,
            reason=reason,
            message=message,
            metrics={"loss": 0.5},
        )
    )


def test_who_was_late_is_known_until_a_later_update_counts():
    late = encode(r.LateAudited(epoch=1, seq=1, round=2, attempt=1, participant="b", deadline_seconds=60))
    facts = read_audit(read(write(STORY)), late).view.participants["b"]
    assert (facts.reason, facts.rejected_round, facts.last_round) == ("Late", 2, 1)
    assert facts.refused
    assert facts.message == "no update of round 2 had come when its 60 s were over"


def test_a_hello_that_was_refused_is_known_until_an_update_of_a_later_round_counts():
    log = write((*STORY[:-2], *whole_round(2, "b")[1:], *whole_round(3, "b")))
    opened_at = next(number for number, data in enumerate(log) if b'"round":2' in data)
    refused = r.ParticipantAudited(
        epoch=1, seq=opened_at + 1, participant="b", reason=r.RejectReason.WRONG_LAYOUT, message="other"
    )
    closed_at = [number for number, data in enumerate(log) if b'"round.closed"' in data]
    for round_number, still in ((1, True), (2, True), (3, False)):
        facts = read_audit(read(log[: closed_at[round_number] + 1]), encode(refused)).view.participants["b"]
        assert (facts.reason, facts.last_round, facts.refused) == ("WrongLayout", round_number, still)


AUDIT: tuple[bytes, ...] = (  # of STORY
    *(encode(r.ParticipantAudited(epoch=1, seq=0, participant=name)) for name in "ab"),
    encode(r.LateAudited(epoch=1, seq=9, round=1, attempt=1, participant="a", deadline_seconds=60)),
    encode(r.ParticipantAudited(epoch=1, seq=99, participant="a", reason=r.RejectReason.MALFORMED, message="words")),
    audited("b", 21),
)


@given(data=st.data())
def test_which_of_the_two_topics_is_read_first_changes_nothing(data: st.DataObject):
    """An operator that starts again reads both at once, as quickly as each comes."""
    log = write(STORY)
    pending = [(number, record) for number, record in enumerate(log)]
    told = list(AUDIT)
    projection = Projection()
    while pending or told:
        if pending and (not told or data.draw(st.booleans())):
            offset, record = pending.pop(0)
            projection = read_journal(projection, record, At(offset, 1000 * offset))
        else:
            projection = read_audit(projection, told.pop(0))
    facts = projection.view.participants
    assert {name: (each.reason, each.refused) for name, each in facts.items()} == {
        "a": ("Malformed", True),
        "b": ("OutOfRange", True),
    }
    assert (facts["b"].rejections, facts["b"].last_round) == (1, 1)


@given(split=st.integers(0, len(STORY) + 1))
def test_reading_on_is_reading_from_the_beginning(split: int):
    log = write(STORY)
    assert read(log[split:], read(log[:split]), first=split) == read(log)


def test_starts_before_an_operator_whose_pods_end_with_it_are_no_failures():
    log = write(STORY, (), (), (), ())
    starts = [number for number, data in enumerate(log) if b"aggregator.started" in data]
    held = caught_up(read(log[: starts[3]]), expects_start=True)
    assert held.view.restarts == 0
    again = read(log[starts[3] : starts[4]], held, first=starts[3])
    assert again.view.restarts == 0, "this one was to be expected"
    assert read(log[starts[4] :], again, first=starts[4]).view.restarts == 1


@given(data=st.data())
def test_zombies_and_duplicates_change_only_the_offset(data: st.DataObject):
    log = write(STORY[:8], STORY[8:])
    zombies = write(STORY)
    noisy: list[bytes] = []
    for number, record in enumerate(log):
        noisy.append(record)
        noisy += data.draw(st.lists(st.sampled_from(log[: number + 1]), max_size=2))
        if number > 9:  # the second epoch has begun: whatever the first one still writes comes too late
            noisy += data.draw(st.lists(st.sampled_from(zombies[9:]), max_size=2))
    clean, heard = read(log), read(noisy)
    assert heard.position == clean.position
    assert heard.view.participants == clean.view.participants
    assert heard.view.state.completed == clean.view.state.completed
    assert heard.view.restarts == clean.view.restarts
    assert heard.view.offset == len(noisy) - 1


def test_what_is_no_record_changes_only_the_offset():
    before = read(write(STORY))
    after = read_journal(before, b"\xff", At(99, 0))
    assert after.view.offset == 99
    assert after.view.state == before.view.state


def test_a_first_start_is_no_restart():
    assert read(write(STORY)).view.restarts == 0


def test_starts_without_a_closed_round_in_between_are_counted():
    assert read(write(STORY, (), ())).view.restarts == 2


def test_a_closed_round_begins_the_count_anew():
    assert read(write(STORY, (), tuple(whole_round(3, "a")), ())).view.restarts == 1


def test_going_on_after_a_suspension_is_no_restart():
    assert read(write((*STORY, r.RunSuspended()), (r.RunResumed(),))).view.restarts == 0


def test_the_last_round_of_a_participant_is_the_last_it_counted_in():
    facts = read(write((*STORY, *whole_round(3, "a")))).view.participants
    assert (facts["a"].last_round, facts["b"].last_round) == (3, 1)


def test_rejections_are_counted_by_the_journal_and_explained_by_the_audit_topic():
    projection = read_audit(read(write(STORY)), audited("b", 21, message="not finite"))
    facts = projection.view.participants["b"]
    assert (facts.rejections, facts.reason, facts.message) == (1, "OutOfRange", "not finite")


def test_a_commit_is_told_of_once():
    once = read_audit(read(write(STORY)), audited("b", 21, message="first"))
    assert read_audit(once, audited("b", 21, message="second")) == once


def test_an_older_aggregators_audit_record_is_not_heard():
    newer = read_audit(read(write(STORY)), audited("a", 20, epoch=2, accepted=True))
    assert read_audit(newer, audited("b", 21, epoch=1)) == newer


def test_what_is_no_audit_record_is_skipped():
    projection = read(write(STORY))
    assert read_audit(projection, b"{}") == projection


@pytest.mark.parametrize(
    ("record", "turns"),
    [
        (opened(2, "a", "b"), False),
        (whole_round(1, "a", "b")[-1], False),
        (r.RoundMissed(round=2, attempt=1, reason="Deadline", accepted=0, rejected=0, skipped=True), False),
        (r.ParticipantJoined(participant="c", offset=0), True),
        (r.ParticipantLost(participant="a"), True),
        (r.RunSuspended(), True),
        (r.RunCompleted(reason="RoundsDone"), True),
        (r.RunFailed(reason="TooManyMissedRounds", message="3 in a row"), True),
    ],
)
def test_what_turns_a_run_is_told_from_its_progress(record: r.JournalRecord, turns: bool):
    log = write((*joined("a", "b"), *first_model("a"), *whole_round(1, "a", "b"), record))
    before = read(log[:-1])
    assert has_turned(before.view, read(log[-1:], before, first=len(log) - 1).view) is turns


def test_a_restart_turns_a_run():
    log = write(STORY, ())
    before = read(log[:-1])
    assert has_turned(before.view, read(log[-1:], before, first=len(log) - 1).view)
