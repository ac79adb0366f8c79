"""When a round closes, what it takes, and what happens where it cannot."""

import signal

import numpy as np
import pytest

from fedka.wire.exact import MOST_EXAMPLES
from fedka.wire.records import (
    FailReason,
    LateAudited,
    MissReason,
    RejectReason,
    RoundClosed,
    RoundMissed,
    RoundOpened,
    Strategy,
    UpdateAccepted,
)

from .conftest import NewRig
from .followed_journal import eventually
from .rig import Rig
from .scripted import Participant, Script
from .scripts import Gate, failing, honest, silent
from .vectors import Vector, delta_of

pytestmark = pytest.mark.kafka
ALL = {"a", "b", "c"}
DEADLINE = 3  # seconds of a round that has to wait for it; who answers is in time on a loaded machine, too


def no_deadline_after_round_one(rig: Rig, **more: object) -> None:
    """Once round 1 has opened: what comes after it waits for everybody."""
    rig.journal.first(RoundOpened, lambda record: record.round == 1)
    rig.spec(rounds={"count": 2, "quorum": "60%"}, **more)


def test_a_round_closes_at_its_deadline_with_a_quorum(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 2, "quorum": "60%", "deadline_seconds": DEADLINE})
    rig.aggregator.start()
    rig.join(scripts={"c": silent("c", 1)})
    no_deadline_after_round_one(rig)
    rig.completed()
    rig.assert_exact({"a", "b"}, ALL)
    assert rig.journal.state.history[0].duration_ms >= DEADLINE * 1000
    late = [(r.participant, r.round) for r in rig.audit() if isinstance(r, LateAudited)]
    assert late == [("c", 1)]


def test_the_deadline_is_broker_time_whether_or_not_an_aggregator_lives(new_rig: NewRig) -> None:
    rig, gate = new_rig("a", "b", "c"), Gate("c", 1)
    rig.spec(rounds={"count": 2, "quorum": "60%", "deadline_seconds": DEADLINE})
    first = rig.aggregator.spawn("acknowledged round.opened#2")
    joined = rig.join(scripts={"c": gate.script("c")})
    assert first.wait() == -signal.SIGKILL
    gate.reached()
    eventually(lambda: all(1 in joined[name].answered for name in "ab"), "the commits in time")
    no_deadline_after_round_one(rig)
    opened = rig.journal.state.attempt
    assert opened is not None
    deadline = opened.at.time_ms + DEADLINE * 1000
    joined["c"].wait_for_broker_time(deadline + 1)
    gate.open()
    eventually(lambda: 1 in joined["c"].answered, "the late commit")
    rig.aggregator.start()
    rig.completed()
    rig.assert_exact({"a", "b"}, ALL)
    assert rig.rejections() == []


def test_over_selection_closes_at_the_target(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 2, "sample_size": 2, "over_selection": "50%", "quorum": "100%"})
    rig.aggregator.start()
    rig.join(scripts={"c": silent("c", 1, 2)})
    rig.completed()
    rig.assert_exact({"a", "b"}, {"a", "b"})
    assert {(o.target, o.quorum, len(o.selected)) for o in rig.journal.of(RoundOpened)[1:]} == {(2, 2, 3)}


def test_who_comes_after_the_target_is_neither_taken_nor_rejected(new_rig: NewRig) -> None:
    rig, gate = new_rig("a", "b", "c"), Gate("c", 1)
    rig.spec(rounds={"count": 2, "sample_size": 2, "over_selection": "50%", "quorum": "100%"})
    rig.aggregator.start()
    rig.join(scripts={"c": gate.script("c")})
    rig.journal.seen(RoundClosed, 2)
    gate.open()
    rig.completed()
    assert rig.accepted()[0] == {"a", "b"}
    assert (rig.rejections(), {closed.rejected for closed in rig.journal.of(RoundClosed)}) == ([], {0})


def test_a_share_of_those_present_is_asked(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c", "d")
    rig.spec(rounds={"count": 4, "sample_size": "50%", "quorum": "51%"})
    rig.aggregator.start()
    rig.join()
    rig.completed()
    opened = rig.journal.of(RoundOpened)[1:]
    assert {(o.target, o.quorum, len(o.selected)) for o in opened} == {(2, 2, 2)}
    rig.assert_exact(*({s.participant for s in o.selected} for o in opened))
    assert len({frozenset(s.participant for s in o.selected) for o in opened}) > 1


def test_a_missed_round_is_tried_again_with_the_same_uploads(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 1, "quorum": "100%"})
    rig.aggregator.start()
    rig.join(scripts={"c": failing("c", 1, attempts=[1])})
    state = rig.completed()
    rig.assert_exact(ALL)
    missed = rig.journal.of(RoundMissed)
    assert [(m.round, m.attempt, m.reason, m.skipped) for m in missed] == [(1, 1, MissReason.QUORUM_IMPOSSIBLE, False)]
    assert (state.completed, state.missed) == (1, 0)
    assert max(a.attempt for a in rig.journal.of(UpdateAccepted)) == 2


def test_a_missed_round_is_skipped(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 3, "quorum": "100%", "on_quorum_miss": "Skip"})
    rig.aggregator.start()
    rig.join(scripts={"c": failing("c", 2)})
    state = rig.completed()
    rig.assert_exact(ALL, None, ALL)
    assert (state.completed, state.missed) == (2, 1)


def test_a_missed_round_fails_the_run(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 3, "quorum": "100%", "on_quorum_miss": "Fail"})
    rig.aggregator.start()
    rig.join(scripts={"c": failing("c", 2)})
    state = rig.completed()
    assert state.failed_by is not None
    assert state.failed_by.reason is FailReason.QUORUM_MISSED
    rig.assert_exact(ALL, None)


def test_too_many_missed_rounds_fail_the_run(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 3, "quorum": "100%", "max_missed_rounds": 2})
    rig.aggregator.start()
    rig.join(scripts={"c": failing("c", 1)})
    state = rig.completed()
    assert state.failed_by is not None
    assert state.failed_by.reason is FailReason.TOO_MANY_MISSED_ROUNDS
    assert len(rig.journal.of(RoundMissed)) == 2


def test_a_deadline_without_a_quorum_is_a_miss(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 1, "quorum": "100%", "deadline_seconds": DEADLINE, "max_missed_rounds": 1})
    rig.aggregator.start()
    rig.join(scripts={"c": silent("c", 1)})
    rig.completed()
    assert [(m.accepted, m.reason) for m in rig.journal.of(RoundMissed)] == [(2, MissReason.DEADLINE)]


def test_uniform_weighting_ignores_examples(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 2}, strategy=Strategy(weighting="Uniform"))
    rig.aggregator.start()
    rig.join()
    rig.completed()
    rig.assert_exact(ALL, ALL, uniform=True)


def test_one_who_announces_too_much_does_not_round_the_others_away(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 2})
    rig.aggregator.start()
    rig.join(scripts={"c": Script(examples=MOST_EXAMPLES)})
    rig.completed()
    rig.assert_exact(ALL, ALL)
    assert {o.weight_scale for o in rig.journal.of(RoundOpened)[1:]} == {2**17}


def test_an_update_beyond_the_norm_is_rejected_and_leaves_no_trace(new_rig: NewRig) -> None:
    def train(who: Participant, opened: RoundOpened, base: Vector) -> Vector:
        delta = delta_of(who.name, opened.round, base)
        return (delta * np.float32(50)).astype(np.float32) if opened.round == 1 else delta

    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 2, "quorum": "60%", "deadline_seconds": DEADLINE}, max_norm="50.0")
    rig.aggregator.start()
    rig.join(scripts={"c": honest("c", train=train)})
    no_deadline_after_round_one(rig, max_norm="50.0")
    rig.completed()
    rig.assert_exact({"a", "b"}, ALL)
    assert [(r.participant, r.round, r.reason) for r in rig.rejections()] == [("c", 1, RejectReason.NORM_TOO_LARGE)]
