"""What an app's functions return.

Both are checked where they are made, so that the traceback of a mistake ends at the app's own line.
"""

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import SupportsFloat, SupportsIndex

from fedka.participant.errors import AppMisused
from fedka.wire.lines import is_name
from fedka.wire.records import MOST_EXAMPLES, MOST_METRICS

MOST_NAME_LENGTH = 63


@dataclass(frozen=True, slots=True)
class Trained:
    """The result of training: how many examples were trained on (1 to 2^29; the update's weight), and metrics.

    At most 16 metrics, with names of 1 to 63 characters and finite values; whatever `float()` takes will do.
    Raises AppMisused.
    """

    examples: SupportsIndex
    metrics: Mapping[str, SupportsFloat] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The result of evaluation: how many examples were looked at (1 to 2^29), and metrics, averaged by examples.

    The same limits as of Trained.
    """

    examples: SupportsIndex
    metrics: Mapping[str, SupportsFloat] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)


def count_examples(result: "Trained | Evaluated") -> int:
    """The examples as an int."""
    return operator.index(result.examples)


def plain_metrics(result: "Trained | Evaluated") -> dict[str, float]:
    """The metrics as floats."""
    return {name: float(value) for name, value in result.metrics.items()}


def check_examples(value: object, what: str) -> int:
    """The number of examples as an int. Raises AppMisused unless it is one from 1 to 2^29."""
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise AppMisused(f"{what} is {value!r}: give the number of examples as an int")
    examples = operator.index(value)
    if not 1 <= examples <= MOST_EXAMPLES:
        raise AppMisused(f"{what} is {examples}: 1 to {MOST_EXAMPLES} (2^29) are allowed")
    return examples


def _check(result: "Trained | Evaluated") -> None:
    """Check a result and keep it as plain numbers: what the app does to its own objects later changes nothing."""
    kind = type(result).__name__
    object.__setattr__(result, "examples", check_examples(result.examples, f"{kind}.examples"))
    if not isinstance(result.metrics, Mapping):
        raise AppMisused(f'{kind}.metrics is a {type(result.metrics).__name__}: give a dict such as {{"loss": 0.31}}')
    if len(result.metrics) > MOST_METRICS:
        raise AppMisused(f"{kind}.metrics has {len(result.metrics)} entries: at most {MOST_METRICS} are allowed")
    plain = {name: _checked_metric(kind, name, value) for name, value in result.metrics.items()}
    object.__setattr__(result, "metrics", plain)


def _checked_metric(kind: str, name: object, value: object) -> float:
    if not isinstance(name, str) or not 1 <= len(name) <= MOST_NAME_LENGTH or not is_name(name):
        raise AppMisused(
            f"{kind}.metrics: the name {name!r} must be a string of 1 to {MOST_NAME_LENGTH} printable characters"
        )
    if not isinstance(value, SupportsFloat):
        raise AppMisused(f"{kind}.metrics[{name!r}] is {value!r}: give a number")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:  # an array or tensor of more than one number
        raise AppMisused(f"{kind}.metrics[{name!r}] is not one number: {error}") from None
    if not math.isfinite(number):
        raise AppMisused(
            f"{kind}.metrics[{name!r}] is {number}: only finite numbers can be averaged; "
            "leave the metric out, or find out why training diverges (often a learning rate that is too high)"
        )
    return number
