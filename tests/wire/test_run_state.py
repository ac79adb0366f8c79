import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedka.wire import records as r
from fedka.wire.run_state import HISTORY, At, RoundPhase, RunState, advance

from .arbitrary import JOURNAL_TYPES, a
from .stories import (
    LAYOUT,
    NAMES,
    Story,
    accepted,
    closed,
    closing,
    dropped,
    missed,
    model,
    opened,
    rejected,
    stories,
    tell,
)

ANY_RECORD = st.sampled_from(JOURNAL_TYPES).flatmap(a)


def without_position(state: RunState) -> RunState:
    return state._replace(last=None, epoch=0, seq=0)


@given(st.lists(ANY_RECORD, max_size=12), st.integers(0, 12))
def test_a_reader_that_goes_on_comes_to_what_a_replay_from_0_comes_to(records: list[r.JournalRecord], cut: int) -> None:
    """And no state is changed after it was given out."""
    seen = [RunState()]
    for offset, record in enumerate(records):
        seen.append(advance(seen[-1], record, At(offset, 1000 * offset)))
    for length, state in enumerate(seen):
        assert state == tell(records[:length])
    head = records[:cut]
    assert tell(records[cut:], tell(head), len(head)) == seen[-1]


@given(ANY_RECORD, st.integers(0, 2**40), st.integers(0, 2**50))
def test_every_record_moves_the_position(record: r.JournalRecord, offset: int, time_ms: int) -> None:
    state = advance(RunState(), record, At(offset, time_ms))
    assert (state.last, state.epoch, state.seq) == (At(offset, time_ms), record.epoch, record.seq)


class FromTheFuture(r.JournalRecord):
    type: str = "weather.changed"


@given(stories())
def test_a_type_that_this_version_does_not_know_changes_only_the_position(story: Story) -> None:
    state = tell(story.records[:-1])
    later = advance(state, FromTheFuture(epoch=9, seq=4), At(99, 99))
    assert later == state._replace(last=At(99, 99), epoch=9, seq=4)


@given(stories())
def test_completed_and_missed_add_up_to_the_count(story: Story) -> None:
    state = tell(story.records)
    assert state.completed == sum(outcome == "closed" for _, outcome in story.outcomes)
    assert state.missed == sum(outcome == "skipped" for _, outcome in story.outcomes)
    assert state.completed + state.missed == story.count == state.planned
    assert state.next_round == story.count + 1


@given(stories())
def test_misses_in_a_row_are_those_since_the_last_closed_round(story: Story) -> None:
    in_a_row = 0
    for _, outcome in story.outcomes:
        in_a_row = 0 if outcome == "closed" else in_a_row + 1
    assert tell(story.records).missed_in_a_row == in_a_row


@given(stories())
def test_the_model_is_that_of_the_last_closed_round(story: Story) -> None:
    last = max((number for number, outcome in story.outcomes if outcome == "closed"), default=0)
    assert tell(story.records).model == model(last)


@given(stories())
def test_history_tells_of_each_number_that_is_behind_us_once(story: Story) -> None:
    told = [(past.round, past.missed) for past in tell(story.records).history]
    assert told == [(number, outcome == "skipped") for number, outcome in story.outcomes if outcome != "retried"]


@given(stories(), st.lists(ANY_RECORD, max_size=6))
def test_nothing_after_the_end_changes_the_state(story: Story, later: list[r.JournalRecord]) -> None:
    end = tell(story.records)
    assert end.ended
    assert without_position(tell(later, end, 1000)) == without_position(end)


@given(stories(), st.lists(ANY_RECORD, max_size=6))
def test_nothing_after_a_failure_changes_the_state(story: Story, later: list[r.JournalRecord]) -> None:
    failed = r.RunFailed(reason=r.FailReason.QUORUM_MISSED, message="m")
    end = tell([*story.records[:-1], failed])
    assert (end.failed_by, end.attempt, end.evaluation) == (failed, None, None)
    assert without_position(tell(later, end, 1000)) == without_position(end)


STRAYS = {
    "accepted": lambda number, attempt: accepted(number, "bea", 33, attempt),
    "rejected": lambda number, attempt: rejected(number, "bea", 33, attempt, final=True),
    "dropped": lambda number, attempt: dropped(number, "ada", 33, attempt),
    "closing": lambda number, attempt: closing(number, "bea", attempt=attempt),
    "closed": closed,
    "missed, retried": lambda number, attempt: missed(number, attempt, skipped=False),
    "missed, skipped": lambda number, attempt: missed(number, attempt, skipped=True),
}


@pytest.mark.parametrize("kind", STRAYS)
@pytest.mark.parametrize("other", [(2, 1), (2, 3), (1, 2), (3, 2)])
def test_a_record_of_another_attempt_changes_only_the_position(kind: str, other: tuple[int, int]) -> None:
    state = tell([opened(2, 2), accepted(2, "ada", 21, 2)])
    later = advance(state, STRAYS[kind](*other), At(50, 50_000))
    assert without_position(later) == without_position(state)
    assert without_position(advance(state, STRAYS[kind](2, 2), At(50, 50_000))) != without_position(state)


@pytest.mark.parametrize("kind", STRAYS)
def test_a_record_of_an_attempt_while_none_is_open_changes_only_the_position(kind: str) -> None:
    state = tell([opened(1), closing(1, "ada"), closed(1)])
    assert without_position(advance(state, STRAYS[kind](1, 1), At(50, 50_000))) == without_position(state)


def test_an_attempt_knows_who_was_accepted_and_who_will_not_be() -> None:
    state = tell([opened(1), accepted(1, "ada", 21), rejected(1, "bea", 22), rejected(1, "bea", 23, final=True)])
    assert state.attempt is not None
    assert state.attempt.phase is RoundPhase.COLLECTING
    assert state.attempt.accepted == {"ada": 21}
    assert state.attempt.rejected == {"bea": (22, 23)}
    assert state.attempt.refused == {"bea"}
    assert state.attempt.rejections == 2


def test_a_successor_reads_again_what_came_before_a_commit() -> None:
    """A hello may lie there, and counts from the next round: skipping it would weigh that round otherwise."""
    state = tell([opened(1), accepted(1, "ada", 21), rejected(1, "bea", 24), rejected(1, "bea", 22)])
    assert (state.seen_until["ada"], state.seen_until["bea"], state.seen_until["cyd"]) == (9, 9, 9)


def test_a1_of_several_closings_the_last_before_closed_counts() -> None:
    before = [opened(1), accepted(1, "ada"), accepted(1, "bea"), closing(1, "ada", "bea"), dropped(1, "bea")]
    state = tell([*before, closing(1, "ada")])
    assert state.attempt is not None
    assert state.attempt.phase is RoundPhase.CLOSING
    assert [taken.participant for taken in state.attempt.decided] == ["ada"]


def test_a1_a_dropped_update_is_no_longer_accepted() -> None:
    state = tell([opened(1), accepted(1, "ada"), accepted(1, "bea"), closing(1, "ada", "bea"), dropped(1, "bea")])
    assert state.attempt is not None
    assert dict(state.attempt.accepted) == {"ada": 20}
    assert state.attempt.dropped == {"bea"}


def test_a1_what_was_dropped_in_one_attempt_counts_again_in_the_next() -> None:
    first = [opened(1), accepted(1, "ada"), closing(1, "ada"), dropped(1, "ada"), missed(1, skipped=False)]
    state = tell([*first, opened(1, 2), accepted(1, "ada", 20, 2)])
    assert state.attempt is not None
    assert (dict(state.attempt.accepted), state.attempt.dropped) == ({"ada": 20}, frozenset())


def test_a_retried_round_keeps_its_number_and_counts_its_attempts() -> None:
    state = tell([opened(1), missed(1, skipped=False), opened(1, 2)])
    assert (state.round, state.next_round, state.attempts, state.missed, state.missed_in_a_row) == (1, 1, 2, 0, 1)


@pytest.mark.parametrize("end", [missed(1, skipped=False), missed(1, skipped=True), closed(1)])
def test_an_attempt_that_was_missed_or_closed_is_open_no_more(end: r.JournalRecord) -> None:
    assert tell([opened(1), end]).attempt is None


def test_a_skipped_round_uses_its_number_up_and_keeps_the_model() -> None:
    state = tell([opened(1), closed(1), opened(2), missed(2, skipped=True)])
    assert (state.next_round, state.attempts, state.completed, state.missed) == (3, 0, 1, 1)
    assert state.model == model(1)


def test_the_first_model_is_no_round_of_the_count() -> None:
    state = tell([opened(0), accepted(0, "ada"), closed(0)])
    assert (state.completed, state.next_round, state.history, state.model) == (0, 1, (), model(0))


def test_a_round_lasts_from_its_last_opening_to_its_closing_in_broker_time() -> None:
    state = tell([opened(1), missed(1, skipped=False), opened(1, 2), accepted(1, "ada", 20, 2), closed(1, 2)])
    assert [past.duration_ms for past in state.history] == [2000]


def test_a10_a_broker_s_clock_that_went_back_makes_no_negative_duration() -> None:
    state = advance(RunState(), opened(1), At(0, 5000))
    assert advance(state, closed(1), At(1, 4000)).history[0].duration_ms == 0


def test_history_is_bounded_and_keeps_the_newest() -> None:
    records = [record for number in range(1, HISTORY + 6) for record in (opened(number), closed(number))]
    assert [past.round for past in tell(records).history] == list(range(6, HISTORY + 6))


def test_the_run_began_with_its_first_start_and_ended_with_its_last_record() -> None:
    started = r.AggregatorStarted(software="s")
    state = tell([started, opened(1), started, closed(1), r.RunCompleted(reason="StopRule")])
    assert (state.started_ms, state.ended_ms) == (0, 4000)


def test_suspended_holds_until_resumed() -> None:
    assert tell([r.RunSuspended()]).suspended
    assert tell([r.RunSuspended(), r.AggregatorStarted(software="s")]).suspended
    assert not tell([r.RunSuspended(), r.RunResumed()]).suspended


def test_a_participant_is_present_from_joined_until_lost_or_removed() -> None:
    joined = [r.ParticipantJoined(participant=name, offset=5) for name in NAMES[:3]]
    gone = [r.ParticipantLost(participant="ada"), r.ParticipantRemoved(participant="cyd")]
    assert dict(tell([*joined, *gone]).present) == {"bea": 5}


def test_b5_one_that_joins_again_is_known_by_its_new_hello() -> None:
    again = [r.ParticipantJoined(participant="ada", offset=offset) for offset in (5, 70)]
    state = tell([again[0], r.ParticipantLost(participant="ada"), again[1]])
    assert (dict(state.present), state.seen_until["ada"]) == ({"ada": 70}, 70)


def test_the_layout_is_the_one_defined() -> None:
    state = tell([r.LayoutDefined(layout=LAYOUT, digest=LAYOUT.digest(), participant="ada")])
    assert (state.layout, state.layout_digest) == (LAYOUT, LAYOUT.digest())
