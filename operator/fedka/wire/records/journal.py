"""The journal: what happened, written by the aggregator alone, in an order that everybody sees alike."""

from typing import Literal

from pydantic import Field

from fedka.wire.chunks import Hex16, Hex32, Pointer
from fedka.wire.layout import Layout
from fedka.wire.records.form import MOST_EXAMPLES, Count, Metrics, Name, Offset, Part, Record, Text
from fedka.wire.records.reasons import FailReason, MissReason
from fedka.wire.records.spec import Strategy


class JournalRecord(Record):
    """Epoch of its writer, position within the epoch, and the chain digest that ties it to what was before."""

    epoch: int = Field(default=0, ge=0)
    seq: int = Field(default=0, ge=0)
    chain: str = Field(default="0" * 64, pattern="^[0-9a-f]{64}$")


class ModelRef(Part):
    """A global model: the round that made it and where it lies in the model topic."""

    round: Count
    pointer: Pointer


class Selected(Part):
    """One who is asked: commits count from control offset `since`; `hello` is the offset of the hello referred to."""

    participant: Name
    since: Offset
    hello: Offset


class Taken(Part):
    """An update by participant and the control offset of its commit."""

    participant: Name
    offset: Offset


class AggregatorStarted(JournalRecord):
    """Opens an epoch."""

    type: Literal["aggregator.started"] = "aggregator.started"
    software: Text
    instance: str = Field(default="0" * 32, pattern="^[0-9a-f]{32}$")  # so that two starters' chains differ


class ParticipantJoined(JournalRecord):
    """`offset` is that of the hello."""

    type: Literal["participant.joined"] = "participant.joined"
    participant: Name
    offset: Offset


class ParticipantLost(JournalRecord):
    """Three alive records were missed, or it said goodbye."""

    type: Literal["participant.lost"] = "participant.lost"
    participant: Name


class ParticipantRemoved(JournalRecord):
    """It is no longer in the spec."""

    type: Literal["participant.removed"] = "participant.removed"
    participant: Name


class LayoutDefined(JournalRecord):
    """The layout of the run and who gave it."""

    type: Literal["layout.defined"] = "layout.defined"
    layout: Layout
    digest: str = Hex32
    participant: Name


class RoundOpened(JournalRecord):
    """All that a participant, a successor or an auditor needs of an attempt; round 0 asks for the first model."""

    type: Literal["round.opened"] = "round.opened"
    round: Count
    attempt: int = Field(ge=1)
    generation: int
    revision: int
    strategy: Strategy
    target: Count
    quorum: Count
    selected: tuple[Selected, ...] = Field(max_length=4096, fail_fast=True)
    weight_scale: int = Field(ge=1, le=MOST_EXAMPLES)
    encoding: Literal["Float32"] = "Float32"
    max_norm: str | None = None
    base: ModelRef | None
    nonce: str = Hex16
    deadline_seconds: int = Field(ge=1)
    skips: bool = False  # a miss uses the number up (rounds.onQuorumMiss is Skip)
    max_model_bytes: int = Field(default=16 * 2**30, ge=0)  # for the first model
    count: Count  # rounds.count in force, so that a reader of the journal alone can say how far the run is


class UpdateAccepted(JournalRecord):
    """Its chunks are verified and folded; `offset` is the commit's. Final."""

    type: Literal["update.accepted"] = "update.accepted"
    round: Count
    attempt: int
    participant: Name
    offset: Offset


class UpdateRejected(JournalRecord):
    """The commit at `offset` does not count; `final`: no other commit of this participant will in this attempt."""

    type: Literal["update.rejected"] = "update.rejected"
    round: Count
    attempt: int
    participant: Name
    offset: Offset
    final: bool


class UpdateDropped(JournalRecord):
    """A decided update that can no longer be read."""

    type: Literal["update.dropped"] = "update.dropped"
    round: Count
    attempt: int
    participant: Name
    offset: Offset


class RoundClosing(JournalRecord):
    """The decision; the last one before `round.closed` counts."""

    type: Literal["round.closing"] = "round.closing"
    round: Count
    attempt: int
    accepted: tuple[Taken, ...] = Field(max_length=4096, fail_fast=True)


class RoundClosed(JournalRecord):
    """The new global model, the means of the training metrics, and whether its evaluation is asked for."""

    type: Literal["round.closed"] = "round.closed"
    round: Count
    attempt: int
    model: ModelRef
    metrics: Metrics = Field(default_factory=dict)
    accepted: Count
    rejected: Count
    evaluate: bool


class RoundMissed(JournalRecord):
    """An attempt without a quorum; `skipped`: the round's number is used up."""

    type: Literal["round.missed"] = "round.missed"
    round: Count
    attempt: int
    accepted: Count
    rejected: Count
    reason: MissReason
    skipped: bool


class EvaluationClosed(JournalRecord):
    """Means over `participants` answers, weighted by examples; empty where nobody answered."""

    type: Literal["evaluation.closed"] = "evaluation.closed"
    round: Count
    participants: Count
    metrics: Metrics = Field(default_factory=dict)


class RunSuspended(JournalRecord):
    """No round is open and none will be opened until `run.resumed`."""

    type: Literal["run.suspended"] = "run.suspended"


class RunResumed(JournalRecord):
    """Rounds go on."""

    type: Literal["run.resumed"] = "run.resumed"


class RunCompleted(JournalRecord):
    """The end that was asked for."""

    type: Literal["run.completed"] = "run.completed"
    reason: Literal["RoundsDone", "StopRule"]
    message: Text = ""


class RunFailed(JournalRecord):
    """The end that was not."""

    type: Literal["run.failed"] = "run.failed"
    reason: FailReason
    message: Text


AnyJournalRecord = (
    AggregatorStarted
    | ParticipantJoined
    | ParticipantLost
    | ParticipantRemoved
    | LayoutDefined
    | RoundOpened
    | UpdateAccepted
    | UpdateRejected
    | UpdateDropped
    | RoundClosing
    | RoundClosed
    | RoundMissed
    | EvaluationClosed
    | RunSuspended
    | RunResumed
    | RunCompleted
    | RunFailed
)
