"""A change of what is wanted takes effect at the next boundary, without a restart."""

import pytest

from fedka import exit_codes
from fedka.wire.records import (
    FailReason,
    ParticipantJoined,
    ParticipantRemoved,
    RoundClosed,
    RoundOpened,
    RunResumed,
    RunSuspended,
    StopOrder,
)

from .conftest import NewRig
from .rig import Rig
from .scripts import Gate, scripted_by

pytestmark = pytest.mark.kafka
BOTH = {"a", "b"}


def held_in_round(rig: Rig, number: int, **rounds: object) -> Gate:
    """The run stands in this round, because `b` is held before its upload."""
    gate = Gate("b", number)
    rig.spec(rounds={"count": 3, **rounds})
    rig.aggregator.start()
    rig.join(scripts=scripted_by(gate.script, rig.participants))
    gate.reached()
    return gate


def test_the_count_is_raised_while_running(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    gate = held_in_round(rig, 3)
    rig.obeyed(rig.spec(rounds={"count": 5}))
    gate.open()
    rig.completed()
    rig.assert_exact(*[BOTH] * 5)


def test_the_count_is_lowered_below_the_open_round(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    gate = held_in_round(rig, 2)
    rig.obeyed(rig.spec(rounds={"count": 1}))
    gate.open()
    rig.completed()
    rig.assert_exact(BOTH, BOTH)


def test_a_run_is_suspended_after_its_open_round_and_goes_on(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    gate = held_in_round(rig, 2)
    rig.obeyed(rig.spec(suspend=True))
    gate.open()
    rig.journal.seen(RunSuspended)
    assert rig.journal.state.attempt is None
    assert len(rig.journal.of(RoundClosed)) == 3
    rig.spec()
    rig.completed()
    assert len(rig.journal.of(RunResumed)) == 1
    rig.assert_exact(BOTH, BOTH, BOTH)


def test_a_stop_order_ends_the_run_inside_a_round(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    gate = held_in_round(rig, 2)
    rig.spec(stop=StopOrder(reason=FailReason.DEADLINE_EXCEEDED, message="activeDeadlineSeconds have passed"))
    state = rig.completed()
    gate.open()
    assert state.failed_by is not None
    assert state.failed_by.reason is FailReason.DEADLINE_EXCEEDED
    assert rig.aggregator.wait() == [exit_codes.OK]


def test_a_participant_added_takes_part_from_the_next_round(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    gate = Gate("b", 2)
    rig.spec(participants=("a", "b"), rounds={"min_available": 2})
    rig.aggregator.start()
    rig.join(scripts=scripted_by(gate.script, "abc"))
    gate.reached()
    assert "c" not in rig.journal.state.present
    rig.spec(participants=("a", "b", "c"), rounds={"min_available": 2})
    rig.journal.seen(ParticipantJoined, 3)
    gate.open()
    rig.completed()
    rig.assert_exact(BOTH, BOTH, {"a", "b", "c"})


def test_a_participant_removed_is_asked_no_more(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    gate = held_in_round(rig, 2)
    rig.spec(participants=("a", "b"), rounds={"min_available": 2})
    rig.journal.seen(ParticipantRemoved)
    gate.open()
    rig.completed()
    assert rig.accepted()[2] == BOTH
    rig.assert_exact(*rig.accepted())


def test_a_record_that_is_no_spec_changes_nothing(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    gate = held_in_round(rig, 2)
    for data in (
        b"",
        b"{",
        b'{"type":"spec","v":1,"rounds":{}}',
        b'{"type":"other","v":1}',
        b'{"type":"spec","v":9}',
    ):
        rig.writer.write_now(rig.topics.spec, 0, data)
    gate.open()
    rig.completed()
    rig.assert_exact(BOTH, BOTH, BOTH)


def test_an_older_generation_does_not_win_by_coming_later(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    gate = held_in_round(rig, 2)
    old = rig.spec(rounds={"count": 1})
    rig.obeyed(rig.spec(rounds={"count": 3}))
    rig.publish(old)
    gate.open()
    rig.completed()
    assert {opened.count for opened in rig.journal.of(RoundOpened)} == {3}
