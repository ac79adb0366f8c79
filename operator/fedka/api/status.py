"""The status of a training: what has been observed. One writer, the operator; everything in it can be rebuilt.

Unknown members are dropped, not refused: an older operator must be able to read what a newer one wrote.
Numbers that are not whole are decimal strings, as everywhere in the resource.
"""

from typing import Annotated

from pydantic import ConfigDict, Field

from fedka.api.conditions import Condition
from fedka.api.fields import INT32_MAX, MAX_PARTICIPANTS, ApiModel, Bool, MetricName, Name, Text, Time, int32, int64
from fedka.api.markers import ListMap
from fedka.api.reasons import ParticipantState, Phase

MAX_HISTORY = 10
MAX_DETAIL = 100
MAX_METRICS = 16
MAX_IMAGES = 16

Count = Annotated[int, int32(least=0, most=INT32_MAX)]
Summary = Annotated[str, Field(strict=True, max_length=32)]
Number = Annotated[str, Field(strict=True, min_length=1, max_length=32, pattern=r"^-?[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?$")]


class StatusModel(ApiModel):
    """A part of the status."""

    model_config = ConfigDict(extra="ignore")


class MetricValue(StatusModel):
    """A metric's mean over the participants, weighted as the updates were."""

    name: MetricName = Field(description="Name of the metric.")
    value: Number = Field(description="Its value as a decimal number.")


Metrics = Annotated[tuple[MetricValue, ...], Field(max_length=MAX_METRICS), ListMap("name")]


class RoundRecord(StatusModel):
    """A round that has ended."""

    round: Count = Field(description="Number of the round, the first is 1.")
    missed: Bool = Field(default=False, description="Whether it ended below its quorum.")
    duration_seconds: Number | None = Field(default=None, description="Seconds from its opening to its end.")
    accepted: Count = Field(default=0, description="Updates that counted.")
    rejected: Count = Field(default=0, description="Updates that were refused.")
    metrics: Metrics = Field(default=(), description="Metrics of the round, at most 16.")


class RoundsStatus(StatusModel):
    """How far the rounds are."""

    current: Count = Field(default=0, description="The open round, or the last one that was.")
    completed: Count = Field(default=0, description="Rounds that counted.")
    missed: Count = Field(default=0, description="Rounds that ended below their quorum.")
    total: Count = Field(default=0, description="Rounds asked for.")
    summary: Summary = Field(default="0/0", description="completed/total.")
    open_time: Time | None = Field(default=None, description="When the open round was opened.")
    deadline_time: Time | None = Field(default=None, description="When the open round closes at the latest.")
    selected: Count = Field(default=0, description="Participants asked in the open round.")
    accepted: Count = Field(default=0, description="Updates of the open round that count.")
    rejected: Count = Field(default=0, description="Updates of the open round that were refused.")
    history: Annotated[tuple[RoundRecord, ...], Field(max_length=MAX_HISTORY)] = Field(
        default=(),
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
        description="The last 10 rounds that ended, oldest first.",
    )


class ParticipantDetail(StatusModel):
    """How one participant is."""

    name: Name = Field(description="Name of the participant.")
    state: ParticipantState = Field(description="What it is doing.")
    last_round: Count | None = Field(default=None, description="Last round its update counted in.")
    rejections: Count = Field(default=0, description="Updates of it that were refused in this run.")
    reason: Annotated[str, Field(strict=True, max_length=128)] | None = Field(
        default=None, description="Cause of its state in one word, where there is one."
    )
    message: Text | None = Field(default=None, description="Cause of its state in a sentence, with the fix.")


class ParticipantsStatus(StatusModel):
    """How the participants are."""

    total: Annotated[int, int32(least=0, most=MAX_PARTICIPANTS)] = Field(
        default=0, description="Participants in the spec."
    )
    present: Annotated[int, int32(least=0, most=MAX_PARTICIPANTS)] = Field(
        default=0, description="Participants heard of."
    )
    summary: Summary = Field(default="0/0", description="present/total.")
    detail: Annotated[tuple[ParticipantDetail, ...], Field(max_length=MAX_DETAIL), ListMap("name")] = Field(
        default=(), description="At most 100 participants, those in trouble first."
    )


class ModelStatus(StatusModel):
    """The newest global model."""

    round: Count = Field(description="Round that made it; 0 is the first model, before any training.")
    digest: Annotated[str, Field(strict=True, max_length=128)] = Field(description="BLAKE3 digest over its chunks.")
    topic: Annotated[str, Field(strict=True, max_length=249)] = Field(description="Kafka topic that holds it.")
    metrics: Metrics = Field(default=(), description="Metrics of the round that made it, at most 16.")


class Progress(StatusModel):
    """Set when a round closes."""

    percentage: Annotated[int, int32(least=0, most=100)] = Field(
        description="Rounds done of those asked for, 0 to 100."
    )
    estimated_remaining_seconds: Count | None = Field(default=None, description="By the pace of the last rounds.")


class ImageStatus(StatusModel):
    """An image that the run's pods keep to, whatever becomes of its tag or of the operator's defaults."""

    name: Annotated[str, Field(strict=True, min_length=1, max_length=64)] = Field(
        description="aggregator, participant, or participant/NAME for an image of that participant's own template."
    )
    image: Annotated[str, Field(strict=True, min_length=1, max_length=512)] = Field(
        description="The image as it was named when the first pod was made."
    )
    image_id: Annotated[str, Field(strict=True, min_length=1, max_length=640)] | None = Field(
        default=None,
        alias="imageID",
        description="The same by digest, once a pod has reported one of its repository; pods made later run this.",
    )


class JournalPosition(StatusModel):
    """How far the journal has been read. For display; a restart reads it from the beginning."""

    topic_id: Annotated[str, Field(strict=True, max_length=64)] = Field(description="Kafka's id of the topic.")
    offset: Annotated[int, int64(least=0)] = Field(description="Offset of the last record read.")
    epoch: Annotated[int, int64(least=0)] = Field(description="Epoch of the aggregator that wrote it.")
    seq: Annotated[int, int64(least=0)] = Field(description="Its number within that epoch.")


class TrainingStatus(StatusModel):
    """What has been observed."""

    observed_generation: Annotated[int, int64(least=0)] | None = Field(
        default=None, description="Generation of the spec that this status describes."
    )
    applied_generation: Annotated[int, int64(least=0)] | None = Field(
        default=None, description="Generation of the spec that has been delivered to the running pods."
    )
    phase: Phase | None = Field(default=None, description="One word for people; programs read the conditions.")
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16), ListMap("type")] = Field(
        default=(), description="Ready, KafkaReady, AggregatorReady, QuorumAvailable and so on, at most 16."
    )
    kafka_id: Annotated[str, Field(strict=True, max_length=128)] | None = Field(
        default=None, description="The run's id in its topics' names."
    )
    rounds: RoundsStatus | None = Field(default=None, description="How far the rounds are.")
    participants: ParticipantsStatus | None = Field(default=None, description="How the participants are.")
    model: ModelStatus | None = Field(default=None, description="The newest global model.")
    progress: Progress | None = Field(default=None, description="How much is done, set when a round closes.")
    journal: JournalPosition | None = Field(default=None, description="How far the journal has been read.")
    images: Annotated[tuple[ImageStatus, ...], Field(max_length=MAX_IMAGES), ListMap("name")] = Field(
        default=(),
        description="Images that the run's pods keep to until it is suspended, at most 16.",
    )
    start_time: Time | None = Field(default=None, description="When the run was started.")
    completion_time: Time | None = Field(default=None, description="When the run ended, well or badly.")
