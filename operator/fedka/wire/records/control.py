"""The control partition of an update topic: what one participant says.

Its words and names are shown to others, so they are held to what can be shown (`fedka.wire.lines`).
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from fedka.wire.chunks import Hex16, Hex32, Pointer
from fedka.wire.layout import Layout
from fedka.wire.lines import is_name, one_line
from fedka.wire.records.form import MOST_METRICS, Count, Examples, MetricName, Record, Text


def _shown(name: str) -> str:
    if not is_name(name):
        raise ValueError("it holds a character that cannot be printed")
    return name


Words = Annotated[Text, AfterValidator(one_line)]
OwnMetrics = Annotated[
    dict[Annotated[MetricName, AfterValidator(_shown)], Annotated[float, Field(allow_inf_nan=False)]],
    Field(max_length=MOST_METRICS),
]


class Hello(Record):
    """Says that a participant is there; a new one counts from the next round."""

    type: Literal["hello"] = "hello"
    examples: Examples
    layout: str = Hex32
    software: Words
    instance: str = Hex16  # of the process, so that a restart shows
    evaluates: bool = True  # whether its app can evaluate: nobody waits for an answer that cannot come


class Alive(Record):
    """Every 10 s."""

    type: Literal["alive"] = "alive"


class Bye(Record):
    """The process ends in an orderly way."""

    type: Literal["bye"] = "bye"


class Answer(Record):
    """What every answer to a round names, so that it counts for nothing else."""

    run: str = Field(max_length=256)
    round: Count
    attempt: int
    nonce: str = Hex16


class Commit(Answer):
    """Makes an upload count. `base` and `layout` are digests; `definition` is given in round 0 only."""

    type: Literal["commit"] = "commit"
    base: Annotated[str | None, Hex32] = None
    layout: str = Hex32
    encoding: Literal["Float32"] = "Float32"
    examples: Examples
    update: Pointer
    metrics: OwnMetrics = Field(default_factory=dict)
    definition: Layout | None = None


class Failed(Answer):
    """The participant cannot answer this attempt, or evaluate its model: its own code raised."""

    type: Literal["failed"] = "failed"
    task: Literal["training", "evaluation"] = "training"
    message: Words


class Evaluated(Record):
    """A participant's evaluation of the model with this digest."""

    type: Literal["evaluated"] = "evaluated"
    run: str = Field(max_length=256)
    round: Count
    model: str = Hex32
    examples: Examples
    metrics: OwnMetrics = Field(default_factory=dict)


AnyControlRecord = Hello | Alive | Bye | Commit | Failed | Evaluated
