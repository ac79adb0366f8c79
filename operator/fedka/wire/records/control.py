"""The control partition of an update topic: what one participant says."""

from typing import Annotated, Literal

from pydantic import Field

from fedka.wire.chunks import Hex16, Hex32, Pointer
from fedka.wire.layout import Layout
from fedka.wire.records.form import Count, Examples, Metrics, Record, Text


class Hello(Record):
    """Says that a participant is there; a new one counts from the next round."""

    type: Literal["hello"] = "hello"
    examples: Examples
    layout: str = Hex32
    software: Text
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
    metrics: Metrics = Field(default_factory=dict)
    definition: Layout | None = None


class Failed(Answer):
    """The participant cannot answer this attempt, or evaluate its model: its own code raised."""

    type: Literal["failed"] = "failed"
    task: Literal["training", "evaluation"] = "training"
    message: Text


class Evaluated(Record):
    """A participant's evaluation of the model with this digest."""

    type: Literal["evaluated"] = "evaluated"
    run: str = Field(max_length=256)
    round: Count
    model: str = Hex32
    examples: Examples
    metrics: Metrics = Field(default_factory=dict)


AnyControlRecord = Hello | Alive | Bye | Commit | Failed | Evaluated
