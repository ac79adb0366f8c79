"""Control records: small JSON documents, one pydantic model per type, bounded and strict.

Four kinds of topic carry them: the spec topic (what is wanted), the journal (what happened), the audit topic (facts
about single participants) and the control partition of each update topic (what a participant says). Names in JSON are
camelCase, as in the resource.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from fedka.wire.chunks import Hex16, Hex32, Pointer
from fedka.wire.layout import Layout

VERSION: Literal[1] = 1
MOST_RECORD_BYTES = 256 * 1024
MOST_EXAMPLES = 2**29

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$")]
Offset = Annotated[int, Field(ge=0, lt=2**63)]
Count = Annotated[int, Field(ge=0, lt=2**31)]
Examples = Annotated[int, Field(ge=1, le=MOST_EXAMPLES)]
Text = Annotated[str, Field(max_length=2048)]
MetricName = Annotated[str, Field(min_length=1, max_length=63)]
Metrics = Annotated[dict[MetricName, Annotated[float, Field(allow_inf_nan=False)]], Field(max_length=16)]
"""Finite numbers only: one NaN would poison the mean that everyone sees."""


class RejectReason(StrEnum):
    """Why an update does not count."""

    APP_FAILED = "AppFailed"  # the participant's own code raised
    WRONG_LAYOUT = "WrongLayout"
    WRONG_BASE = "WrongBase"
    WRONG_SIZE = "WrongSize"  # chunks do not fit the layout
    BAD_OFFSETS = "BadOffsets"  # not distinct, outside of the partition or far apart
    BAD_DIGEST = "BadDigest"
    OUT_OF_RANGE = "OutOfRange"  # not finite, or |x| >= 2^14
    NORM_TOO_LARGE = "NormTooLarge"
    TOO_LARGE = "TooLarge"  # the first model exceeds update.maxModelBytes
    MALFORMED = "Malformed"  # not a record of ours
    CHUNKS_GONE = "ChunksGone"


class MissReason(StrEnum):
    """Why an attempt at a round did not count."""

    DEADLINE = "Deadline"
    QUORUM_IMPOSSIBLE = "QuorumImpossible"
    UPDATES_LOST = "UpdatesLost"  # decided updates could no longer be read


class FailReason(StrEnum):
    """Why a run ended without reaching its goal."""

    QUORUM_MISSED = "QuorumMissed"
    TOO_MANY_MISSED_ROUNDS = "TooManyMissedRounds"
    JOURNAL_LOST = "JournalLost"
    MODEL_LOST = "ModelLost"
    NO_FIRST_MODEL = "NoFirstModel"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    TOPIC_MISCONFIGURED = "TopicMisconfigured"
    TOO_MANY_RESTARTS = "TooManyAggregatorRestarts"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Record(_Part):
    """What every control record has: its type (given by each class) and the version of its form."""

    type: str
    v: Literal[1] = VERSION


# --- spec topic -------------------------------------------------------------------------------------------------


class Rounds(_Part):
    """`spec.rounds` as the aggregator needs it; bounds were checked at the border."""

    count: int = Field(ge=1)
    sample_size: int | str = "100%"
    over_selection: int | str = "0%"
    quorum: int | str = "80%"
    min_available: int | None = None
    deadline_seconds: int = Field(default=600, ge=1)
    on_quorum_miss: Literal["Retry", "Skip", "Fail"] = "Retry"
    max_missed_rounds: int = 3
    model_history_limit: int = 3
    seed: int = 42


class Strategy(_Part):
    """Strategy type, weighting and parameters (decimal strings)."""

    type: str = "FedAvg"
    weighting: Literal["Examples", "Uniform"] = "Examples"
    parameters: dict[str, str] = Field(default_factory=dict)


class StopRule(_Part):
    """When evaluation ends the run: at `threshold`, or after `patience_rounds` evaluations without improvement."""

    metric: MetricName
    goal: Literal["Maximize", "Minimize"]
    threshold: str | None = None
    patience_rounds: int | None = None


class Evaluation(_Part):
    """Every how many rounds the global model is evaluated (0 = only after the last), and the stop rule."""

    every_rounds: int = 1
    stop: StopRule | None = None


class StopOrder(_Part):
    """The operator's order to end the run now, for a reason that the aggregator writes into the journal."""

    reason: FailReason
    message: Text


class Spec(Record):
    """What is wanted, in full; the record with the higher (generation, revision) wins, of equals the last."""

    type: Literal["spec"] = "spec"
    generation: int = Field(ge=1)
    revision: int = Field(default=0, ge=0)
    participants: tuple[Name, ...]
    rounds: Rounds
    strategy: Strategy = Strategy()
    evaluation: Evaluation = Evaluation()
    max_norm: str | None = None
    max_model_bytes: int = 16 * 2**30
    suspend: bool = False
    stop: StopOrder | None = None


# --- journal ----------------------------------------------------------------------------------------------------


class JournalRecord(Record):
    """Epoch of its writer, position within the epoch, and the chain digest that ties it to what was before."""

    epoch: int = Field(default=0, ge=0)
    seq: int = Field(default=0, ge=0)
    chain: str = Field(default="0" * 64, pattern="^[0-9a-f]{64}$")


class ModelRef(_Part):
    """A global model: the round that made it and where it lies in the model topic."""

    round: Count
    pointer: Pointer


class Selected(_Part):
    """One who is asked: commits count from control offset `since`; `hello` is the offset of the hello referred to."""

    participant: Name
    since: Offset
    hello: Offset


class Taken(_Part):
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
    selected: tuple[Selected, ...] = Field(max_length=4096)
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
    accepted: tuple[Taken, ...] = Field(max_length=4096)


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


# --- audit topic ------------------------------------------------------------------------------------------------


class AuditRecord(Record):
    """Informational; keyed by the (epoch, seq) of the journal record that it belongs to or follows."""

    epoch: int = Field(default=0, ge=0)
    seq: int = Field(default=0, ge=0)


class UpdateAudited(AuditRecord):
    """What became of one commit, with the figures that no other participant may see."""

    type: Literal["audit.update"] = "audit.update"
    round: Count
    attempt: int
    participant: Name
    offset: Offset
    accepted: bool
    reason: RejectReason | None = None
    message: Text = ""
    examples: int = 0
    metrics: Metrics = Field(default_factory=dict)


class EvaluationAudited(AuditRecord):
    """One participant's evaluation."""

    type: Literal["audit.evaluation"] = "audit.evaluation"
    round: Count
    participant: Name
    examples: int
    metrics: Metrics = Field(default_factory=dict)


class ParticipantAudited(AuditRecord):
    """What a hello said, or why it was not taken (`reason`)."""

    type: Literal["audit.participant"] = "audit.participant"
    participant: Name
    examples: int = 0
    software: Text = ""
    reason: RejectReason | None = None
    message: Text = ""


AnyAuditRecord = UpdateAudited | EvaluationAudited | ParticipantAudited


# --- control partition of an update topic ------------------------------------------------------------------------


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
