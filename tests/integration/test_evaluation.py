"""Evaluation of the global model: when it is asked for, what is waited for, and how it ends a run."""

import pytest

from fedka.wire.exact import MOST_EXAMPLES
from fedka.wire.records import Evaluation, EvaluationAudited, EvaluationClosed, RoundClosed, StopRule

from .conftest import NewRig
from .scripted import Participant
from .scripts import honest, scripted_by

pytestmark = pytest.mark.kafka


def says(value: float, *, silent: str = ""):
    """Scripts whose evaluation always gives this score; one participant may say nothing."""

    def evaluate(who: Participant, closed: RoundClosed) -> dict[str, float] | None:
        return None if who.name == silent else {"score": value}

    return lambda name: honest(name, evaluate=evaluate)


def rule(**settings: object) -> Evaluation:
    return Evaluation(stop=StopRule(metric="score", goal="Maximize", **settings))  # type: ignore[arg-type]


def test_the_model_is_evaluated_every_so_many_rounds_and_after_the_last(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    rig.spec(rounds={"count": 5}, evaluation=Evaluation(every_rounds=2))
    rig.aggregator.start()
    rig.join()
    rig.completed()
    assert [e.round for e in rig.journal.of(EvaluationClosed)] == [2, 4, 5]


def test_means_are_weighted_by_examples(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    rig.spec(rounds={"count": 1})
    rig.aggregator.start()
    rig.join(scripts={n: says(v)(n) for n, v in {"a": 1.0, "b": 0.0}.items()})
    state = rig.completed()
    assert state.model_metrics["score"] == 100 / 157
    audited = [r for r in rig.audit() if isinstance(r, EvaluationAudited)]
    assert {(r.participant, r.examples, r.metrics["score"]) for r in audited} == {("a", 100, 1.0), ("b", 57, 0.0)}


def test_nobody_outweighs_all_others_by_announcing_much(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 1})
    rig.aggregator.start()
    scripts = {n: says(v)(n) for n, v in {"a": 0.0, "b": 0.0, "c": 1.0}.items()}
    scripts["c"].examples = MOST_EXAMPLES
    rig.join(scripts=scripts)
    assert rig.completed().model_metrics["score"] == 2**17 / (2**17 + 157)


def test_a_threshold_ends_the_run(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    rig.spec(rounds={"count": 9}, evaluation=rule(threshold="0.9"))
    rig.aggregator.start()
    rig.join(scripts=scripted_by(says(0.9), "ab"))
    state = rig.completed()
    assert state.completed_by is not None
    assert (state.completed_by.reason, state.completed) == ("StopRule", 1)


def test_rounds_without_improvement_end_the_run(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    rig.spec(rounds={"count": 9}, evaluation=rule(patience_rounds=2))
    rig.aggregator.start()
    rig.join(scripts=scripted_by(says(0.5), "ab"))
    state = rig.completed()
    assert state.completed_by is not None
    assert (state.completed_by.reason, state.completed) == ("StopRule", 3)


def test_a_stop_rule_needs_a_quorum_of_answers_and_waits_until_the_deadline(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    rig.spec(rounds={"count": 2, "deadline_seconds": 3, "quorum": "100%"}, evaluation=rule(threshold="0.9"))
    rig.aggregator.start()
    rig.join(scripts=scripted_by(says(1.0, silent="b"), "ab"))
    state = rig.completed()
    assert state.completed_by is not None
    assert (state.completed_by.reason, state.completed) == ("RoundsDone", 2)
    assert [e.participants for e in rig.journal.of(EvaluationClosed)] == [1, 1]


def test_nobody_is_waited_for_who_cannot_evaluate(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    rig.spec(rounds={"count": 2}, evaluation=rule(threshold="2"))
    rig.aggregator.start()
    rig.join(scripts={"a": says(1.0)("a"), "b": honest("b", evaluates=False)})
    rig.completed()
    assert [e.participants for e in rig.journal.of(EvaluationClosed)] == [1, 1]


def test_a_run_in_which_nobody_evaluates_completes(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    rig.spec(rounds={"count": 2})
    rig.aggregator.start()
    rig.join(scripts={name: honest(name, evaluates=False) for name in "ab"})
    assert rig.completed().completed_by is not None
    assert rig.journal.of(EvaluationClosed) == []
