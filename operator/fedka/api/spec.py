"""The spec of a training: what is wanted. Every field that stands here works; the rest comes with its function.

Three kinds of fields. Some apply from the next round: `rounds`, `evaluation`, participants, deadlines. Some may change
only while the training is suspended: `app`, templates. Some never change, because a replay of the run from the log must
give the same model: `strategy`, `update`, `kafka`, the seed.
"""

from typing import Annotated

from pydantic import ConfigDict, Field

from fedka.api.fields import MAX_PARTICIPANTS, ApiModel, Bool, int32, int64
from fedka.api.learning import Kafka, ReclaimPolicy, Retention, Strategy, StrategyType, Update, Weighting
from fedka.api.markers import ListMap, Rule, immutable, rules
from fedka.api.participants import App, Participant, ParticipantMode
from fedka.api.pods import PodTemplate
from fedka.api.rounds import Evaluation, Goal, OnQuorumMiss, Rounds, StopRule

__all__ = [
    "Aggregator",
    "App",
    "Evaluation",
    "FailurePolicy",
    "Goal",
    "Kafka",
    "OnQuorumMiss",
    "Participant",
    "ParticipantMode",
    "PodTemplate",
    "ReclaimPolicy",
    "Retention",
    "Rounds",
    "StopRule",
    "Strategy",
    "StrategyType",
    "TrainingSpec",
    "Update",
    "Weighting",
]

YEAR_SECONDS = 366 * 24 * 3600


class Aggregator(ApiModel):
    """The aggregator's pod."""

    template: PodTemplate | None = Field(
        default=None,
        description="PodTemplateSpec merged over the aggregator's own. May change only while the training is "
        "suspended.",
    )


class FailurePolicy(ApiModel):
    """When to give up."""

    max_aggregator_restarts: Annotated[int, int32(least=0, most=1000)] = Field(
        default=6,
        description="Restarts of the aggregator in a row, without a closed round in between, after which the training "
        "fails: 0 to 1000, default 6.",
    )


_SUSPEND_FIRST = "may change only while the training is suspended: set suspend to true in an earlier change"


class TrainingSpec(ApiModel):
    """What is wanted."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.rounds.minAvailable) || self.rounds.minAvailable <= size(self.participants)",
                "must not exceed the number of participants: lower it or add participants",
                ".rounds.minAvailable",
            ),
            Rule(
                "!has(self.ttlSecondsAfterFinished) || self.kafka.reclaimPolicy == 'Retain'",
                "needs kafka.reclaimPolicy Retain: with Delete the model would go with the training; "
                "remove it or retain the topics",
                ".ttlSecondsAfterFinished",
            ),
            Rule("oldSelf.suspend || self.app == oldSelf.app", _SUSPEND_FIRST, ".app"),
            Rule("oldSelf.suspend || self.aggregator == oldSelf.aggregator", _SUSPEND_FIRST, ".aggregator"),
            Rule(
                "oldSelf.suspend || (has(self.participantTemplate) == has(oldSelf.participantTemplate) && "
                "(!has(self.participantTemplate) || self.participantTemplate == oldSelf.participantTemplate))",
                _SUSPEND_FIRST,
                ".participantTemplate",
            ),
        )
    )

    app: App = Field(description="What a participant runs. May change only while the training is suspended.")
    rounds: Rounds = Field(description="How many rounds, who is asked in each, and when one counts.")
    strategy: Strategy = Field(
        default=Strategy(),
        json_schema_extra=immutable(),
        description="How updates become the next global model, default FedAvg weighted by examples. Immutable.",
    )
    update: Update = Field(
        default=Update(),
        json_schema_extra=immutable(),
        description="Limits on what a participant may send, default 16Gi and no limit of the norm. Immutable.",
    )
    evaluation: Evaluation = Field(
        default=Evaluation(),
        description="How often the global model is evaluated, default after every round; may end the training early.",
    )
    kafka: Kafka = Field(
        default=Kafka(),
        json_schema_extra=immutable(),
        description="Where the run's topics live and how long, default the cluster named default. Immutable.",
    )
    participants: Annotated[
        tuple[Participant, ...], Field(min_length=1, max_length=MAX_PARTICIPANTS), ListMap("name")
    ] = Field(
        description="Who takes part, 1 to 1000. May be added and removed while the training runs: added ones are "
        "eligible from the next round, removed ones are not asked any more and lose their rights once the open round "
        "has ended, 60 s after its deadline at the latest."
    )
    participant_template: PodTemplate | None = Field(
        default=None,
        description="PodTemplateSpec of the Managed participants' pods. May change only while the training is "
        "suspended.",
    )
    aggregator: Aggregator = Field(
        default=Aggregator(), description="The aggregator's pod. May change only while the training is suspended."
    )
    suspend: Bool = Field(
        default=False,
        description="true: no further round opens, and the pods stop once the open one has ended. false (the default): "
        "goes on where it stopped.",
    )
    failure_policy: FailurePolicy = Field(default=FailurePolicy(), description="When to give up.")
    active_deadline_seconds: Annotated[int, int64(least=1, most=10 * YEAR_SECONDS)] | None = Field(
        default=None,
        description="Seconds after its start at which a training that has not ended fails, 1 to 316224000. "
        "Absent: never.",
    )
    ttl_seconds_after_finished: Annotated[int, int64(least=0, most=10 * YEAR_SECONDS)] | None = Field(
        default=None,
        description="Seconds after its end at which the training is deleted, 0 to 316224000; needs "
        "kafka.reclaimPolicy Retain. Absent: never.",
    )
