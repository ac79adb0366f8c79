"""Topics by Kafka's own admin API.

The client's calls block, so each runs in a thread; each has a time-out, and every future's answer is looked at.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own type hints do not say what it exports
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicDescription,
)

from fedka.kafka.access import Settings
from fedka.plan.parts import TopicSpec
from fedka.reconcile.provisioning import KafkaUnavailable, ProvisioningError, TopicRefused

LOGGER = logging.getLogger("fedka.provision")
ANSWER_SECONDS = 5.0  # a broker that is away must show in the status within 10 s
CHANGE_SECONDS = 30.0  # creating topics may wait for a controller that is being elected
LEADER_POLL_SECONDS = 0.05

T = TypeVar("T")

_AWAY = frozenset(
    {
        KafkaError._TRANSPORT,  # noqa: SLF001  librdkafka's own names
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._TIMED_OUT_QUEUE,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NOT_CONTROLLER,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NETWORK_EXCEPTION,
    }
)


class AdminProvisioner:
    """The `Provisioner` port on an AdminClient. `replication` is that of topics it makes."""

    def __init__(self, settings: Settings, *, replication: int = 1) -> None:
        self._admin = AdminClient({**settings, "client.id": "fedka-operator-admin"}, logger=LOGGER)
        self._replication = replication

    async def ensure_topics(self, topics: Sequence[TopicSpec]) -> Mapping[str, str]:
        """See `Provisioner.ensure_topics`."""
        return await asyncio.to_thread(self._ensure, topics)

    async def topic_ids(self, names: Sequence[str]) -> Mapping[str, str | None]:
        """See `Provisioner.topic_ids`."""
        described = await asyncio.to_thread(self._describe, names)
        return {name: str(found.topic_id) if found is not None else None for name, found in described.items()}

    async def list_topics(self, prefix: str) -> Sequence[str]:
        """See `Provisioner.list_topics`."""
        return await asyncio.to_thread(self._list, prefix)

    async def delete_topics(self, names: Sequence[str]) -> None:
        """See `Provisioner.delete_topics`."""
        if names:
            await asyncio.to_thread(self._delete, names)

    def _ensure(self, topics: Sequence[TopicSpec]) -> dict[str, str]:
        if not topics:
            return {}
        created = self._create(topics)
        existing = [topic for topic in topics if topic.name not in created]
        if existing:
            self._alter(existing)
        return self._wait_for_leaders(topics)

    def _create(self, topics: Sequence[TopicSpec]) -> set[str]:
        """Create what is missing; the names of those that were."""
        wanted = [
            NewTopic(
                topic.name,
                num_partitions=topic.partitions,
                replication_factor=self._replication,
                config=dict(topic.config),
            )
            for topic in topics
        ]
        futures = self._call(
            lambda: self._admin.create_topics(wanted, operation_timeout=CHANGE_SECONDS, request_timeout=CHANGE_SECONDS)
        )
        created = set()
        for name, future in futures.items():
            if _succeeded(future, f"creating topic {name}", unless=KafkaError.TOPIC_ALREADY_EXISTS):
                created.add(name)
        return created

    def _alter(self, topics: Sequence[TopicSpec]) -> None:
        """Set what differs. A setting that is right is not written again: it would be logged as a change."""
        resources = {topic.name: ConfigResource(ResourceType.TOPIC, topic.name) for topic in topics}
        read = self._call(
            lambda: self._admin.describe_configs(list(resources.values()), request_timeout=ANSWER_SECONDS)
        )
        live = {
            resource.name: _value(future, f"reading the settings of topic {resource.name}")
            for resource, future in read.items()
        }
        changes = []
        for topic in topics:
            entries = live[topic.name]
            different = {
                key: value for key, value in topic.config.items() if key not in entries or entries[key].value != value
            }
            if different:
                changes.append(_change(topic.name, different))
        if not changes:
            return
        written = self._call(lambda: self._admin.incremental_alter_configs(changes, request_timeout=CHANGE_SECONDS))
        for resource, future in written.items():
            _value(future, f"changing the settings of topic {resource.name}")

    def _wait_for_leaders(self, topics: Sequence[TopicSpec]) -> dict[str, str]:
        """Ids, once each partition has a leader: a client that comes sooner would wait out a metadata interval."""
        deadline = time.monotonic() + CHANGE_SECONDS
        while True:
            described = self._describe([topic.name for topic in topics])
            _check_partitions(topics, described)
            waiting = [topic.name for topic in topics if not _led(described[topic.name], topic)]
            if not waiting:
                return {name: str(found.topic_id) for name, found in described.items() if found is not None}
            if time.monotonic() >= deadline:
                raise KafkaUnavailable(
                    f"topic {waiting[0]} has no leader, or fewer partitions than wanted, after {CHANGE_SECONDS:.0f} s: "
                    "look at the brokers' logs"
                )
            time.sleep(LEADER_POLL_SECONDS)  # Kafka's protocol has no notice of leaders; never on the path of a round

    def _describe(self, names: Sequence[str]) -> dict[str, TopicDescription | None]:
        if not names:
            return {}
        futures = self._call(
            lambda: self._admin.describe_topics(TopicCollection(list(names)), request_timeout=ANSWER_SECONDS)
        )
        described: dict[str, TopicDescription | None] = {}
        for name, future in futures.items():
            exists = _succeeded(future, f"describing topic {name}", unless=KafkaError.UNKNOWN_TOPIC_OR_PART)
            described[name] = future.result() if exists else None
        return described

    def _list(self, prefix: str) -> list[str]:
        metadata = self._call(lambda: self._admin.list_topics(timeout=ANSWER_SECONDS))
        return sorted(name for name in metadata.topics if name.startswith(prefix))

    def _delete(self, names: Sequence[str]) -> None:
        futures = self._call(
            lambda: self._admin.delete_topics(
                list(names), operation_timeout=CHANGE_SECONDS, request_timeout=CHANGE_SECONDS
            )
        )
        for name, future in futures.items():
            _succeeded(future, f"deleting topic {name}", unless=KafkaError.UNKNOWN_TOPIC_OR_PART)

    @staticmethod
    def _call(request: Callable[[], T]) -> T:
        try:
            return request()
        except KafkaException as error:
            raise _as_ours(error, "asking Kafka") from error


def _value(future: "Future[T]", doing: str) -> T:
    """The future's value, or its failure as one of ours."""
    try:
        return future.result(timeout=CHANGE_SECONDS + ANSWER_SECONDS)
    except FutureTimeout:
        raise KafkaUnavailable(f"{doing}: no answer in time") from None
    except KafkaException as error:
        raise _as_ours(error, doing) from error


def _succeeded(future: "Future[T]", doing: str, *, unless: int) -> bool:
    """Whether it went well, rather than being answered with the error code `unless`; other failures are raised."""
    try:
        _value(future, doing)
    except ProvisioningError as error:
        cause = error.__cause__
        if isinstance(cause, KafkaException) and cause.args[0].code() == unless:
            return False
        raise
    return True


def _as_ours(error: KafkaException, doing: str) -> ProvisioningError:
    cause = error.args[0]
    if cause.code() in _AWAY or cause.retriable():
        return KafkaUnavailable(f"{doing}: {cause.str()}: check that the brokers run and can be reached")
    if cause.code() in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED):
        return TopicRefused(f"{doing}: {cause.str()}: grant the operator its rights on topics of its prefix")
    return TopicRefused(f"{doing}: {cause.str()}")


def _change(name: str, settings: Mapping[str, str]) -> ConfigResource:
    entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in settings.items()]
    return ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)


def _led(found: TopicDescription | None, topic: TopicSpec) -> bool:
    if found is None or len(found.partitions) < topic.partitions:
        return False
    return all(partition.leader is not None and partition.leader.id >= 0 for partition in found.partitions)


def _check_partitions(topics: Sequence[TopicSpec], described: Mapping[str, TopicDescription | None]) -> None:
    for topic in topics:
        found = described[topic.name]
        count = len(found.partitions) if found is not None else 0
        if 0 < count < topic.partitions:
            raise TopicRefused(
                f"topic {topic.name} has {count} partitions and needs {topic.partitions}: somebody else made it; "
                "delete it"
            )
