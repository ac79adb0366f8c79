"""What the control plane needs of Kafka's administration, so that the reconciler knows no Kafka client.

One adapter talks to Kafka's own admin API, another will leave the work to Strimzi's custom resources.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fedka.plan.parts import Identity, TopicSpec


class ProvisioningError(Exception):
    """Kafka did not do what was asked."""


class SettingsUnusable(ProvisioningError):
    """No client can be made with what was configured, such as a CA file without a certificate in it."""


class KafkaUnavailable(ProvisioningError):
    """No broker answered in time: try again later, nothing is known to have been refused.

    `everywhere` says so to the other runs of this Kafka, whom it does not concern what was asked; it is empty where
    Kafka may well answer them.
    """

    def __init__(self, message: str, *, everywhere: str = "") -> None:
        super().__init__(message)
        self.everywhere = everywhere

    def for_others(self) -> "KafkaUnavailable":
        """The same, without what was asked."""
        return type(self)(self.everywhere, everywhere=self.everywhere)


class CredentialsRefused(KafkaUnavailable):
    """A broker is there and does not accept the operator's password or certificate."""


class ProvisioningRefused(ProvisioningError):
    """Kafka answered, and said no: trying the same again will not help before somebody changes something."""


class TopicRefused(ProvisioningRefused):
    """Kafka refused a topic (policy, authorization, bad setting)."""


class IdentityRefused(ProvisioningRefused):
    """Kafka refused to make or remove a user or its rights."""


@dataclass(frozen=True, slots=True)
class Login:
    """An identity to have, with the password that it is to have."""

    identity: Identity
    password: str = field(repr=False)


class Provisioner(Protocol):
    """Topics and identities of runs: made, looked up and removed. Methods raise a `ProvisioningError`."""

    async def cluster_id(self) -> str:
        """Kafka's own id: another Kafka at the same address has another."""
        ...

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

    async def ensure_identities(self, logins: Sequence[Login]) -> None:
        """Make users with these passwords, or give them, and their rights; returns when a broker applies both.

        Rights that a user has beyond those of its identity are taken away. Safe to repeat.
        """
        ...

    async def users_of(self, topic: str, prefix: str) -> frozenset[str]:
        """The users whose name begins with `prefix` that have any right on this very topic."""
        ...

    async def remove_identities(self, users: Sequence[str]) -> None:
        """Remove users and all their rights; those that are gone already are no error."""
        ...
