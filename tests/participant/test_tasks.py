"""What to do next, from a state of the run and what this process has said."""

from typing import Any

import pytest

from fedka.participant.tasks import Answer, Done, Evaluate, Leave, next_task, still_wanted
from fedka.wire import records as r
from fedka.wire.chunks import Pointer
from fedka.wire.run_state import At, Attempt, OpenEvaluation, RoundPhase, RunState

from .memory_wire import ME, opened

AT = At(offset=5, time_ms=0)
MODEL = r.ModelRef(round=0, pointer=Pointer.of(upload=bytes(16), offsets=[0], digest="0" * 64))
OPENED = opened(1, base=MODEL)
COLLECTING = RunState(attempt=Attempt(opened=OPENED, at=AT))
ASKED = OpenEvaluation(round=1, model=MODEL, at=AT, selected=OPENED.selected, quorum=1, deadline_seconds=60)


def task(state: RunState, done: Done | None = None, *, evaluates: bool = True, me: str = ME):
    return next_task(state, me, done or Done(), evaluates=evaluates)


def with_attempt(**changes: Any) -> RunState:
    return RunState(attempt=Attempt(opened=OPENED, at=AT)._replace(**changes))


def test_nothing_is_to_be_done_before_anything_is_asked():
    assert task(RunState()) is None


def test_an_open_attempt_is_answered():
    assert task(COLLECTING) == Answer(OPENED)


def test_only_those_selected_answer():
    assert task(COLLECTING, me="south") is None


@pytest.mark.parametrize(
    "state",
    [
        with_attempt(accepted={ME: 3}),
        with_attempt(refused=frozenset({ME})),
        with_attempt(dropped=frozenset({ME})),
        with_attempt(phase=RoundPhase.CLOSING),
    ],
)
def test_an_attempt_that_waits_for_nothing_of_mine_is_left_alone(state):
    assert task(state) is None
    assert not still_wanted(state, ME, OPENED)


def test_an_attempt_is_answered_once():
    done = Done()
    done.answer(OPENED.nonce, 4)
    assert task(COLLECTING, done) is None


def test_a_failure_is_an_answer():
    done = Done()
    done.answer(OPENED.nonce)
    assert task(COLLECTING, done) is None


def test_a_refused_commit_is_replaced():
    done = Done()
    done.answer(OPENED.nonce, 4)
    assert task(with_attempt(rejected={ME: (4,)}), done) == Answer(OPENED, afresh=True)


def test_what_replaces_a_refused_commit_is_waited_for():
    done = Done()
    done.answer(OPENED.nonce, 4)
    done.answer(OPENED.nonce, 9)
    assert task(with_attempt(rejected={ME: (4,)}), done) is None
    assert task(with_attempt(rejected={ME: (4, 9)}), done) == Answer(OPENED, afresh=True)


def test_the_refusal_of_an_earlier_process_is_no_reason_to_replace():
    done = Done()
    done.answer(OPENED.nonce, 4)
    assert task(with_attempt(rejected={ME: (3,)}), done) is None


def test_commits_of_an_earlier_attempt_are_forgotten():
    done = Done()
    done.answer("earlier", 4)
    done.answer(OPENED.nonce, 9)
    assert done.commits == {9}


def test_evaluation_comes_before_training():
    assert task(COLLECTING._replace(evaluation=ASKED)) == Evaluate(ASKED)


def test_a_model_is_evaluated_once():
    assert task(COLLECTING._replace(evaluation=ASKED), Done(evaluated=1)) == Answer(OPENED)


def test_who_cannot_evaluate_is_not_held_up():
    assert task(COLLECTING._replace(evaluation=ASKED), evaluates=False) == Answer(OPENED)


def test_an_ended_run_is_left_whatever_is_open():
    ended = COLLECTING._replace(evaluation=ASKED, completed_by=r.RunCompleted(reason="RoundsDone"))
    assert task(ended) == Leave()


def test_another_attempt_wants_no_answer_to_this_one():
    assert still_wanted(COLLECTING, ME, OPENED)
    assert not still_wanted(COLLECTING, ME, opened(1, attempt=2, base=MODEL))
