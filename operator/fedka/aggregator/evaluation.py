"""Means of metrics, and the rule that ends a run early. Pure; every sum is exact, so order and CPU decide nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import isfinite

from fedka.wire.records import MOST_METRICS, StopRule


def means(answers: Mapping[str, tuple[int, Mapping[str, float]]]) -> dict[str, float]:
    """Weighted means of metrics: participant -> (weight, metrics). Each metric over those who report it.

    Where there are more than a record holds, those that most report: nobody crowds out what the others agree on.
    """
    reporters = Counter(name for participant in sorted(answers) for name in answers[participant][1])
    kept = {name for name, _ in reporters.most_common(MOST_METRICS)}  # of equals the first
    found = {}
    for name in [name for name in reporters if name in kept]:
        given = [(weight, metrics[name]) for weight, metrics in answers.values() if name in metrics]
        total = sum((Fraction(value) * weight for weight, value in given if isfinite(value)), Fraction(0))
        found[name] = float(total / sum(weight for weight, value in given if isfinite(value)))
    return found


def stop_reason(rule: StopRule, evaluations: Sequence[tuple[int, Mapping[str, float]]]) -> str | None:
    """Why the run may end now, by the evaluations so far (round, means), or None."""
    values = [(number, metrics[rule.metric]) for number, metrics in evaluations if rule.metric in metrics]
    if not values:
        return None
    sign = 1 if rule.goal == "Maximize" else -1
    number, last = values[-1]
    if rule.threshold is not None and sign * Fraction(last) >= sign * Fraction(Decimal(rule.threshold)):
        return f"{rule.metric} reached {last:.6g} in round {number}, the threshold is {rule.threshold}"
    if rule.patience_rounds is not None:
        best_round, best = max(values, key=lambda value: (sign * value[1], -value[0]))
        if number - best_round >= rule.patience_rounds:
            return (
                f"{rule.metric} has not improved on {best:.6g} of round {best_round} for {number - best_round} rounds"
            )
    return None
