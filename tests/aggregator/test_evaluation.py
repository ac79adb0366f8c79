from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedka.aggregator.evaluation import means, stop_reason
from fedka.wire.records import MOST_METRICS, StopRule

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)


def test_a_mean_is_weighted() -> None:
    assert means({"a": (3, {"loss": 1.0}), "b": (1, {"loss": 5.0})}) == {"loss": 2.0}


def test_each_metric_counts_over_those_who_report_it() -> None:
    assert means({"a": (3, {"x": 1.0}), "b": (1, {"x": 5.0, "y": 7.0})}) == {"x": 2.0, "y": 7.0}


def test_without_answers_there_are_no_means() -> None:
    assert means({}) == {}


def test_as_many_metrics_as_a_record_holds_are_kept() -> None:
    answers = {name: (1, {f"{name}{i}": 1.0 for i in range(16)}) for name in "ab"}
    assert list(means(answers)) == [f"a{i}" for i in range(MOST_METRICS)]


def test_names_of_one_participant_do_not_crowd_out_what_others_report() -> None:
    crowd = {f"a{i}": 1.0 for i in range(16)}
    answers = {"a": (1, crowd), "b": (1, {"loss": 0.25}), "c": (1, {"loss": 0.75})}
    assert list(means(answers)) == [*list(crowd)[:15], "loss"]


@given(st.lists(st.tuples(st.integers(1, 2**29), FINITE), min_size=1, max_size=4))
def test_means_are_exact_in_any_order(given_values: list[tuple[int, float]]) -> None:
    answers = [(f"p{i}", (weight, {"m": value})) for i, (weight, value) in enumerate(given_values)]
    exact = sum(Fraction(v) * w for w, v in given_values) / sum(w for w, _ in given_values)
    assert {means(dict(order))["m"] for order in permutations(answers)} == {float(exact)}


def rule(goal: str = "Maximize", **settings: object) -> StopRule:
    return StopRule(metric="score", goal=goal, **settings)  # type: ignore[arg-type]


def scores(*values: float) -> list[tuple[int, dict[str, float]]]:
    return [(number, {"score": value}) for number, value in enumerate(values, start=1)]


@pytest.mark.parametrize(("goal", "value", "ends"), [
    ("Maximize", 0.9, True), ("Maximize", 0.89, False), ("Minimize", 0.9, True), ("Minimize", 0.91, False),
])  # fmt: skip
def test_a_threshold_is_reached_from_its_side(goal: str, value: float, ends: bool) -> None:
    """0.9 as a double is a little more than 0.9: Minimize compares with the double that stands for the same text."""
    threshold = "0.9" if goal == "Maximize" else "0.9000000000000001"
    assert (stop_reason(rule(goal, threshold=threshold), scores(value)) is not None) is ends


def test_only_the_last_evaluation_meets_a_threshold() -> None:
    assert stop_reason(rule(threshold="0.9"), scores(0.95, 0.5)) is None


def test_patience_counts_rounds_since_the_best() -> None:
    patient = rule(patience_rounds=2)
    assert stop_reason(patient, scores(0.5, 0.9, 0.8)) is None
    assert "round 2" in (stop_reason(patient, scores(0.5, 0.9, 0.8, 0.9)) or "")


def test_an_equal_score_is_no_improvement() -> None:
    assert stop_reason(rule(patience_rounds=1), scores(0.5, 0.5)) is not None


def test_rounds_without_the_metric_are_not_looked_at() -> None:
    assert stop_reason(rule(threshold="0.1"), [(1, {"loss": 1.0})]) is None
