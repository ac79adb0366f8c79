"""What the control plane needs of Kafka's administration, so that the reconciler knows no Kafka client.

One adapter talks to Kafka's own admin API, another will leave the work to Strimzi's custom resources.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from fedka.plan.parts import TopicSpec


class ProvisioningError(Exception):
    """Kafka did not do what was asked."""


class KafkaUnavailable(ProvisioningError):
    """No broker answered in time: try again later, nothing is known to have been refused."""


class TopicRefused(ProvisioningError):
    """Kafka refused a topic (policy, authorization, bad setting): trying the same again will not help."""


class Provisioner(Protocol):
    """Topics of a run: made, looked up and removed."""

    async def ensure_topics(self, topics: Sequence[TopicSpec]) -> Mapping[str, str]:
        """Create what is missing, alter settings that differ, and return name -> topic id once leaders are known.

        Safe to repeat, also after half of it was done. Raises `KafkaUnavailable` or `TopicRefused`.
        """
        ...

    async def topic_ids(self, names: Sequence[str]) -> Mapping[str, str | None]:
        """Name -> topic id, or None where there is no such topic."""
        ...

    async def list_topics(self, prefix: str) -> Sequence[str]:
        """The names of all topics that begin with `prefix`."""
        ...

    async def delete_topics(self, names: Sequence[str]) -> None:
        """Delete these topics; those that are gone already are no error."""
        ...
