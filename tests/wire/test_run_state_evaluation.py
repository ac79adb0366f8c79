from fedka.wire import records as r

from .stories import NAMES, closed, model, opened, tell


def evaluation(round_number: int, answers: int = 2, accuracy: float = 0.9) -> r.EvaluationClosed:
    return r.EvaluationClosed(round=round_number, participants=answers, metrics={"accuracy": accuracy})


def test_an_evaluation_is_open_from_closed_to_its_own_closing() -> None:
    state = tell([opened(1), closed(1, evaluate=True)])
    assert state.evaluation is not None
    assert (state.evaluation.round, state.evaluation.model) == (1, model(1))
    assert {selected.participant for selected in state.evaluation.selected} == set(NAMES)
    assert tell([evaluation(1)], state, 2).evaluation is None


def test_an_evaluation_of_an_older_round_leaves_the_open_one_open() -> None:
    state = tell([opened(1), closed(1, evaluate=True), opened(2), closed(2, evaluate=True), evaluation(1)])
    assert state.evaluation is not None
    assert state.evaluation.round == 2
    assert dict(state.model_metrics) == {"loss": 0.5}
    assert [dict(past.metrics) for past in state.history] == [{"loss": 0.5, "accuracy": 0.9}, {"loss": 0.5}]


def test_means_of_an_evaluation_stand_beside_those_of_training() -> None:
    state = tell([opened(1), closed(1, evaluate=True), evaluation(1)])
    assert dict(state.model_metrics) == {"loss": 0.5, "accuracy": 0.9}


def test_an_evaluation_that_nobody_answered_is_none_for_the_stop_rule() -> None:
    nobody = r.EvaluationClosed(round=1, participants=0)
    state = tell([opened(1), closed(1, evaluate=True), nobody, opened(2), closed(2, evaluate=True), evaluation(2)])
    assert [number for number, _ in state.evaluations] == [2]
