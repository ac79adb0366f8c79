"""The spec topic: what is wanted, written by the operator."""

from typing import Annotated, Literal

from pydantic import Field

from fedka.wire.records.form import Count, MetricName, Name, Part, Record, Text
from fedka.wire.records.reasons import FailReason

Share = Annotated[str, Field(pattern=r"^[0-9]{1,3}%$")]


class Rounds(Part):
    """`spec.rounds` as the aggregator needs it; bounds were checked at the border."""

    count: int = Field(ge=1)
    sample_size: Count | Share = "100%"
    over_selection: Count | Share = "0%"
    quorum: Count | Share = "80%"
    min_available: int | None = None
    deadline_seconds: int = Field(default=600, ge=1)
    on_quorum_miss: Literal["Retry", "Skip", "Fail"] = "Retry"
    max_missed_rounds: int = 3
    model_history_limit: int = 3
    seed: int = 42


class Strategy(Part):
    """Strategy type, weighting and parameters (decimal strings)."""

    type: str = "FedAvg"
    weighting: Literal["Examples", "Uniform"] = "Examples"
    parameters: dict[str, str] = Field(default_factory=dict)


class StopRule(Part):
    """When evaluation ends the run: at `threshold`, or after `patience_rounds` evaluations without improvement."""

    metric: MetricName
    goal: Literal["Maximize", "Minimize"]
    threshold: str | None = None
    patience_rounds: int | None = None


class Evaluation(Part):
    """Every how many rounds the global model is evaluated (0 = only after the last), and the stop rule."""

    every_rounds: int = 1
    stop: StopRule | None = None


class StopOrder(Part):
    """The operator's order to end the run now, for a reason that the aggregator writes into the journal."""

    reason: FailReason
    message: Text


class Spec(Record):
    """What is wanted, in full; the record with the higher (generation, revision) wins, of equals the last."""

    type: Literal["spec"] = "spec"
    generation: int = Field(ge=1)
    revision: int = Field(default=0, ge=0)
    participants: tuple[Name, ...] = Field(fail_fast=True)
    rounds: Rounds
    strategy: Strategy = Strategy()
    evaluation: Evaluation = Evaluation()
    max_norm: str | None = None
    max_model_bytes: int = 16 * 2**30
    suspend: bool = False
    stop: StopOrder | None = None
