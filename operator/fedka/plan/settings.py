"""The operator's own configuration, as far as a plan depends on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fedka.wire.bundle import KafkaAccess

CLEANUP_SECONDS = 600.0
MOST_PARTICIPANTS = 1000


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """A Kafka cluster that trainings may name. `prefix` begins every topic, so that installations can share a Kafka.

    `access` is how pods reach it; `ca` is the PEM text of the authority that they are to trust, if not the system's.
    With `identities`, each pod gets a SCRAM user of its own with the rights it needs. `allowed_namespaces` None: all.
    `egress` holds the rules of a NetworkPolicy, verbatim, as only the platform's owner knows where the brokers are.
    """

    access: KafkaAccess
    prefix: str = "fedka"
    replication: int = 1
    ca: str = ""
    identities: bool = False
    allowed_namespaces: frozenset[str] | None = None
    max_participants: int = MOST_PARTICIPANTS
    egress: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Kafka clusters by name, default images, and where participants keep what outlives their process, if anywhere.

    `pods_end_with_operator`, as in a local run: that an aggregator starts after the operator is no failure of it.
    A deletion that Kafka does not let come to its end is given up `cleanup_seconds` after it was asked for.
    """

    kafka_clusters: Mapping[str, KafkaCluster]
    aggregator_image: str = "fedka-aggregator"
    participant_image: str = "fedka-participant"
    state_directory: str | None = None
    pods_end_with_operator: bool = False
    cleanup_seconds: float = CLEANUP_SECONDS
