"""The operator's own configuration, as far as a plan depends on it."""

from collections.abc import Mapping
from dataclasses import dataclass

from fedka.wire.bundle import KafkaAccess


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """A Kafka cluster that trainings may name. `prefix` begins every topic, so that installations can share a Kafka."""

    access: KafkaAccess
    prefix: str = "fedka"
    replication: int = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """Kafka clusters by name, default images, and where participants keep what outlives their process, if anywhere."""

    kafka_clusters: Mapping[str, KafkaCluster]
    aggregator_image: str = "fedka-aggregator"
    participant_image: str = "fedka-participant"
    state_directory: str | None = None
