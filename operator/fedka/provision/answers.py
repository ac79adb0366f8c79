"""What Kafka's answers mean to us: away (try again), refused (do not), or as expected."""

import asyncio
from concurrent.futures import Future
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from fedka.kafka.access import Settings
from fedka.kafka.complaints import Complaints
from fedka.kafka.errors import AccessRefused
from fedka.reconcile.provisioning import (
    CredentialsRefused,
    IdentityRefused,
    KafkaUnavailable,
    ProvisioningError,
    TopicRefused,
)

ANSWER_SECONDS = 5.0  # a broker that is away must show in the status within 10 s
CHANGE_SECONDS = 30.0  # creating topics may wait for a controller that is being elected

ELSEWHERE = "asking for another training"

T = TypeVar("T")

# librdkafka's own flag "retriable" is set for none of these.
AWAY = frozenset(
    {
        KafkaError._TRANSPORT,  # noqa: SLF001  librdkafka's own names
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._TIMED_OUT_QUEUE,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError._AUTHENTICATION,  # noqa: SLF001
        KafkaError._SSL,  # noqa: SLF001
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NOT_CONTROLLER,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.NOT_LEADER_FOR_PARTITION,
    }
)
EXISTS = frozenset({KafkaError.TOPIC_ALREADY_EXISTS})
UNKNOWN = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART})
NO_SUCH_USER = frozenset({KafkaError.RESOURCE_NOT_FOUND})
NOT_LED_YET = frozenset(
    {
        KafkaError.UNKNOWN_LEADER_EPOCH,  # the controller has told us of a leader, and not yet the leader itself
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    }
)


class Answers:
    """Looks at the answers to one client, which it makes."""

    def __init__(self, client: AdminClient, complaints: Complaints, settings: Settings) -> None:
        self._client = client
        self._complaints = complaints
        self.principal = f"User:{settings['sasl.username']}" if "sasl.username" in settings else "the operator"

    async def value_of(self, future: "Future[T]", doing: str) -> T:
        """The future's value, or its failure as one of ours."""
        try:
            async with asyncio.timeout(CHANGE_SECONDS + ANSWER_SECONDS):
                value = await asyncio.wrap_future(future)
        except TimeoutError:
            raise _unavailable(doing, "no answer in time") from None
        except KafkaException as error:
            raise self.as_ours(error, doing) from error
        self._client.poll(0)  # what the client has complained of before is over as well
        self._complaints.answered()
        return value

    async def succeeded(self, future: "Future[T]", doing: str, *, unless: frozenset[int]) -> bool:
        """Whether it went well, rather than being answered with a code of `unless`; other failures are raised."""
        try:
            await self.value_of(future, doing)
        except ProvisioningError as error:
            cause = error.__cause__
            if isinstance(cause, KafkaException) and cause.args[0].code() in unless:
                return False
            raise
        return True

    def as_ours(self, error: KafkaException, doing: str) -> ProvisioningError:
        """The error as one of ours, with what was being done and what may mend it."""
        cause: KafkaError = error.args[0]
        if cause.code() in AWAY:
            return self._away(cause, doing)
        if cause.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            rights = "Create, Delete, Describe, DescribeConfigs, AlterConfigs, Read and Write"
            return TopicRefused(f"{doing}: {cause.str()}: grant {self.principal} {rights} on topics of its prefix")
        if cause.code() == KafkaError.CLUSTER_AUTHORIZATION_FAILED:
            needed = "Describe and Alter on the cluster"
            return IdentityRefused(f"{doing}: not authorized: grant {self.principal} {needed}")
        return TopicRefused(f"{doing}: {cause.str()}")

    def _away(self, cause: KafkaError, doing: str) -> KafkaUnavailable:
        """No answer: what the client has complained of meanwhile says why."""
        self._client.poll(0)
        if self._complaints.refused:
            return CredentialsRefused(self._refused(cause, doing), everywhere=self._refused(cause, ELSEWHERE))
        return _unavailable(doing, f"{cause.str()}: check that the brokers run and can be reached")

    def _refused(self, cause: KafkaError, doing: str) -> str:
        explained = self._complaints.explain(doing, cause)
        assert isinstance(explained, AccessRefused)
        return f"{explained}; mend the operator's credentials of this Kafka, and it starts again with them"


def _unavailable(doing: str, why: str) -> KafkaUnavailable:
    return KafkaUnavailable(f"{doing}: {why}", everywhere=f"{ELSEWHERE}: {why}")
