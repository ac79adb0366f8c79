"""How rounds go, when they count, and when training stops: the part of the spec that may change while a run lives."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from fedka.api.fields import (
    MAX_PARTICIPANTS,
    MAX_ROUNDS,
    ApiModel,
    Decimal,
    ExtraCount,
    MetricName,
    SampleCount,
    int32,
    int64,
)
from fedka.api.markers import Rule, immutable, rules

WEEK_SECONDS = 7 * 24 * 3600


class OnQuorumMiss(StrEnum):
    """What follows a round with too few updates."""

    RETRY = "Retry"
    SKIP = "Skip"
    FAIL = "Fail"


class Goal(StrEnum):
    """Whether a metric is better high or low."""

    MAXIMIZE = "Maximize"
    MINIMIZE = "Minimize"


class Rounds(ApiModel):
    """How many rounds, who is asked in each, and when one counts. Changes apply from the next round."""

    count: Annotated[int, int32(least=1, most=MAX_ROUNDS)] = Field(
        description="Rounds to train, 1 to 100000. May be raised or lowered while the training runs."
    )
    sample_size: SampleCount = Field(
        default="100%",
        description="Participants whose updates a round wants: integer (1 to 1000) or percentage of those present "
        "(1% to 100%), default 100%. Percentages are rounded up.",
    )
    over_selection: ExtraCount = Field(
        default="0%",
        description="Participants asked in addition, so that a slow one does not hold up the round: integer (0 "
        "to 1000) or percentage of sampleSize (0% to 100%), default 0%. The round closes as soon as sampleSize have "
        "answered.",
    )
    quorum: SampleCount = Field(
        default="80%",
        description="Updates without which a round does not count: integer (1 to 1000) or percentage of sampleSize "
        "(1% to 100%), default 80%. Percentages are rounded up; it must not exceed sampleSize. A round that can ask "
        "for fewer, as not all are present, needs all that it asks for: minAvailable keeps it from being opened.",
    )
    min_available: Annotated[int, int32(least=1, most=MAX_PARTICIPANTS)] | None = Field(
        default=None,
        description="Participants that must be present before a round opens, 1 to the number of participants. "
        "Default: the quorum.",
    )
    deadline_seconds: Annotated[int, int32(least=1, most=WEEK_SECONDS)] = Field(
        default=600,
        description="Seconds a round stays open at most, 1 to 604800 (a week), default 600. Updates that come later "
        "do not count.",
    )
    on_quorum_miss: OnQuorumMiss = Field(
        default=OnQuorumMiss.RETRY,
        description="What follows a round below its quorum, default Retry. Retry: the same round again. Skip: go on "
        "with the next round and the old model. Fail: the training fails.",
    )
    max_missed_rounds: Annotated[int, int32(least=1, most=1000)] = Field(
        default=3,
        description="Rounds below their quorum in a row after which the training fails, 1 to 1000, default 3.",
    )
    model_history_limit: Annotated[int, int32(least=1, most=100)] = Field(
        default=3, description="Global models kept in Kafka, the newest first, 1 to 100, default 3."
    )
    seed: Annotated[int, int64(least=0)] = Field(
        default=42,
        json_schema_extra=immutable(),
        description="Start of all random choices, 0 to 9007199254740991 (2^53-1), default 42: the same "
        "seed selects the same participants and gives them the same seeds. Immutable.",
    )


class StopRule(ApiModel):
    """When to stop before the last round. At least one of threshold and patienceRounds."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "has(self.threshold) || has(self.patienceRounds)",
                "needs a threshold to reach or patienceRounds without improvement: set at least one of them",
            )
        )
    )

    metric: MetricName = Field(description="Name of a metric that the app's evaluate function returns, e.g. accuracy.")
    goal: Goal = Field(description="Maximize (higher is better) or Minimize (lower is better).")
    threshold: Decimal | None = Field(
        default=None,
        description='Decimal number in quotes, e.g. "0.97": training stops once the metric has reached it. '
        "Absent: no threshold.",
    )
    patience_rounds: Annotated[int, int32(least=1, most=MAX_ROUNDS)] | None = Field(
        default=None,
        description="Evaluated rounds in a row without a new best value after which training stops, 1 to 100000. "
        "Absent: no limit.",
    )


class Evaluation(ApiModel):
    """How often participants evaluate the global model on their own data, and whether that may end the training."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.stop) || !has(self.everyRounds) || self.everyRounds > 0",
                "stop needs evaluations: set everyRounds to 1 or more, or remove stop",
                ".everyRounds",
            )
        )
    )

    every_rounds: Annotated[int, int32(least=0, most=MAX_ROUNDS)] = Field(
        default=1,
        description="Participants evaluate the global model after every so many rounds, 0 to 100000, default 1. "
        "0: never.",
    )
    stop: StopRule | None = Field(
        default=None, description="Ends the training early by an evaluated metric. Absent: all rounds are trained."
    )
