from fedka.aggregator.boundary import Complete, Fail, Open, Resume, Step, Suspend, Wait, next_step
from fedka.wire.records import Evaluation, FailReason, Hello, Spec, StopOrder, StopRule
from fedka.wire.run_state import At, OpenEvaluation, RunState

from .runs import MODEL, OTHER, RUN, begun, hellos, spec

ABC = hellos("a", "b", "c")


def step(state: RunState, wanted: Spec | None, present: dict[str, Hello] = ABC, asked: str = "") -> Step:
    return next_step(state, wanted, present, RUN, frozenset(asked))


def evaluating(number: int) -> OpenEvaluation:
    return OpenEvaluation(round=number, model=MODEL, at=At(0, 0), selected=(), quorum=1, deadline_seconds=60)


def test_without_a_spec_there_is_nothing_to_do() -> None:
    assert isinstance(step(RunState(), None), Wait)


def test_the_first_step_asks_one_participant_for_the_model() -> None:
    first = step(RunState(), spec())
    assert isinstance(first, Open)
    assert (first.round, first.attempt, len(first.selected), first.size.quorum) == (0, 1, 1, 1)


def test_who_was_asked_for_the_model_before_is_asked_beside_another() -> None:
    second = step(RunState(attempts=1, opened_once=True), spec(), asked="b")
    assert isinstance(second, Open)
    assert len(second.selected) == 2
    assert "b" in second.selected


def test_nobody_left_to_give_a_model_fails_the_run() -> None:
    end = step(RunState(attempts=6, opened_once=True), spec(), asked="abc")
    assert isinstance(end, Fail)
    assert end.reason is FailReason.NO_FIRST_MODEL


def test_the_model_is_asked_of_the_layout_that_a_quorum_shares() -> None:
    first = step(RunState(), spec(rounds={"quorum": "60%"}), {**hellos("a", "b"), **hellos("c", layout=OTHER)})
    assert isinstance(first, Open)
    assert first.selected[0] in {"a", "b"}


def test_without_a_shared_layout_nobody_is_asked() -> None:
    assert isinstance(step(RunState(), spec(), {**hellos("a", "b"), **hellos("c", layout=OTHER)}), Wait)


def test_a_round_asks_those_with_the_runs_layout_only() -> None:
    first = step(begun(), spec(rounds={"min_available": 2}), {**hellos("a", "b"), **hellos("c", layout=OTHER)})
    assert isinstance(first, Open)
    assert first.selected == ("a", "b")


def test_too_few_present_are_waited_for() -> None:
    assert isinstance(step(begun(), spec(), hellos("a", "b")), Wait)
    assert isinstance(step(begun(), spec(rounds={"min_available": 2}), hellos("a", "b")), Open)


def test_an_attempt_follows_a_missed_one() -> None:
    again = step(begun(attempts=2, missed_in_a_row=1), spec())
    assert isinstance(again, Open)
    assert (again.round, again.attempt) == (1, 3)


def test_the_same_arguments_choose_the_same_participants() -> None:
    wanted = spec("abcdef", rounds={"sample_size": 3})
    there = hellos(*"abcdef")
    backwards = dict(reversed(there.items()))
    assert step(begun(), wanted, there) == step(begun(), wanted, backwards)


def test_a_missed_round_fails_a_run_that_says_so() -> None:
    end = step(begun(missed_in_a_row=1), spec(rounds={"on_quorum_miss": "Fail"}))
    assert isinstance(end, Fail)
    assert end.reason is FailReason.QUORUM_MISSED


def test_too_many_missed_rounds_in_a_row_fail_a_run() -> None:
    limit = spec(rounds={"max_missed_rounds": 2})
    assert isinstance(step(begun(missed_in_a_row=1), limit), Open)
    end = step(begun(missed_in_a_row=2), limit)
    assert isinstance(end, Fail)
    assert end.reason is FailReason.TOO_MANY_MISSED_ROUNDS


def test_a_missed_first_model_is_not_a_missed_round() -> None:
    state = RunState(missed_in_a_row=3, attempts=3, opened_once=True)
    assert isinstance(step(state, spec(rounds={"on_quorum_miss": "Fail", "max_missed_rounds": 1})), Open)


def test_after_the_last_round_the_run_is_complete() -> None:
    end = step(begun(next_round=4, completed=3), spec())
    assert isinstance(end, Complete)
    assert end.reason == "RoundsDone"


def test_a_count_lowered_below_what_is_done_completes_the_run() -> None:
    assert isinstance(step(begun(next_round=6, completed=5), spec(rounds={"count": 1})), Complete)


def test_the_last_evaluation_is_waited_for() -> None:
    assert isinstance(step(begun(next_round=4, evaluation=evaluating(3)), spec()), Wait)


def test_other_evaluations_hold_up_a_run_with_a_stop_rule_only() -> None:
    state = begun(next_round=2, evaluation=evaluating(1))
    rule = StopRule(metric="loss", goal="Minimize", threshold="0.1")
    assert isinstance(step(state, spec()), Open)
    assert isinstance(step(state, spec(evaluation=Evaluation(stop=rule))), Wait)


def test_a_stop_rule_that_is_met_completes_the_run() -> None:
    rule = StopRule(metric="loss", goal="Minimize", threshold="0.1")
    end = step(begun(next_round=2, evaluations=((1, {"loss": 0.05}),)), spec(evaluation=Evaluation(stop=rule)))
    assert isinstance(end, Complete)
    assert end.reason == "StopRule"


def test_a_run_is_suspended_and_resumed_once() -> None:
    assert step(begun(), spec(suspend=True)) == Suspend()
    assert isinstance(step(begun(suspended=True), spec(suspend=True)), Wait)
    assert step(begun(suspended=True), spec()) == Resume()


def test_a_run_that_is_done_completes_though_it_is_to_be_suspended() -> None:
    assert isinstance(step(begun(next_round=4), spec(suspend=True)), Complete)


def test_a_stop_order_comes_before_everything() -> None:
    order = StopOrder(reason=FailReason.DEADLINE_EXCEEDED, message="time is up")
    assert step(begun(suspended=True, next_round=9), spec(suspend=True, stop=order)) == Fail(
        order.reason, order.message
    )


def test_a_step_does_not_depend_on_what_is_only_told() -> None:
    told = begun()._replace(history=(), model_metrics={"loss": 1.0}, started_ms=7)
    assert step(told, spec()) == step(begun(), spec())
