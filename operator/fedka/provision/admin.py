"""Topics and identities by Kafka's own admin API.

The client answers by futures, which are awaited without a thread, so that a stopping operator waits for none of them.
Each call has a time-out, and every future's answer is looked at.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own type hints do not say what it exports
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
    TopicDescription,
)

from fedka.kafka.access import Settings
from fedka.kafka.complaints import Complaints
from fedka.plan.parts import TopicSpec
from fedka.provision.answers import ANSWER_SECONDS, CHANGE_SECONDS, EXISTS, NOT_LED_YET, UNKNOWN, Answers
from fedka.provision.identities import AdminIdentities
from fedka.reconcile.provisioning import KafkaUnavailable, Login, SettingsUnusable, TopicRefused

LOGGER = logging.getLogger("fedka.provision")
LEADER_POLL_SECONDS = 0.02
BATCH = 200  # topics of one request: a controller refuses more than 10,000 records at once, and a topic is ten of them


class AdminProvisioner:
    """The `Provisioner` port on an AdminClient. `replication` is that of topics it makes. Raises SettingsUnusable."""

    def __init__(self, settings: Settings, *, replication: int = 1) -> None:
        complaints = Complaints(settings)
        client: dict[str, Any] = {**settings, "client.id": "fedka-operator-admin", "error_cb": complaints.take}
        try:
            self._admin = AdminClient(client, logger=LOGGER)
        except KafkaException as error:
            raise SettingsUnusable(error.args[0].str()) from error
        self._answers = Answers(self._admin, complaints, settings)
        self._identities = AdminIdentities(self._admin, self._answers)
        self._replication = replication

    async def cluster_id(self) -> str:
        """See `Provisioner.cluster_id`."""
        asked = self._admin.describe_cluster(request_timeout=ANSWER_SECONDS)
        return str((await self._answers.value_of(asked, "asking for Kafka's id")).cluster_id)

    async def ensure_topics(self, topics: Sequence[TopicSpec]) -> Mapping[str, str]:
        """See `Provisioner.ensure_topics`."""
        ids: dict[str, str] = {}
        for first in range(0, len(topics), BATCH):
            ids |= await self._ensure(topics[first : first + BATCH])
        return ids

    async def _ensure(self, topics: Sequence[TopicSpec]) -> Mapping[str, str]:
        created = await self._create(topics)
        existing = [topic for topic in topics if topic.name not in created]
        if existing:
            await self._alter(existing)
        ids = await self._wait_for_leaders(topics)
        await self._wait_for_logs([topic for topic in topics if topic.name in created])
        return ids

    async def topic_ids(self, names: Sequence[str]) -> Mapping[str, str | None]:
        """See `Provisioner.topic_ids`."""
        described = await self._describe(names)
        return {name: str(found.topic_id) if found is not None else None for name, found in described.items()}

    async def list_topics(self, prefix: str) -> Sequence[str]:
        """See `Provisioner.list_topics`."""
        try:
            metadata = await asyncio.to_thread(self._admin.list_topics, timeout=ANSWER_SECONDS)
        except KafkaException as error:
            raise self._answers.as_ours(error, "listing topics") from error
        return sorted(name for name in metadata.topics if name.startswith(prefix))

    async def delete_topics(self, names: Sequence[str]) -> None:
        """See `Provisioner.delete_topics`."""
        if not names:
            return
        futures = self._admin.delete_topics(
            list(names), operation_timeout=CHANGE_SECONDS, request_timeout=CHANGE_SECONDS
        )
        for name, future in futures.items():
            await self._answers.succeeded(future, f"deleting topic {name}", unless=UNKNOWN)

    async def ensure_identities(self, logins: Sequence[Login]) -> None:
        """See `Provisioner.ensure_identities`."""
        await self._identities.ensure(logins)

    async def users_of(self, topic: str, prefix: str) -> frozenset[str]:
        """See `Provisioner.users_of`."""
        return await self._identities.users_of(topic, prefix)

    async def remove_identities(self, users: Sequence[str]) -> None:
        """See `Provisioner.remove_identities`."""
        await self._identities.remove(users)

    async def _create(self, topics: Sequence[TopicSpec]) -> set[str]:
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
        futures = self._admin.create_topics(wanted, operation_timeout=CHANGE_SECONDS, request_timeout=CHANGE_SECONDS)
        created = set()
        for name, future in futures.items():
            if await self._answers.succeeded(future, f"creating topic {name}", unless=EXISTS):
                created.add(name)
        return created

    async def _alter(self, topics: Sequence[TopicSpec]) -> None:
        """Set what differs. A setting that is right is not written again: it would be logged as a change."""
        resources = {topic.name: ConfigResource(ResourceType.TOPIC, topic.name) for topic in topics}
        read = self._admin.describe_configs(list(resources.values()), request_timeout=ANSWER_SECONDS)
        live = {
            resource.name: await self._answers.value_of(future, f"reading the settings of topic {resource.name}")
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
        written = self._admin.incremental_alter_configs(changes, request_timeout=CHANGE_SECONDS)
        for resource, future in written.items():
            await self._answers.value_of(future, f"changing the settings of topic {resource.name}")

    async def _wait_for_leaders(self, topics: Sequence[TopicSpec]) -> dict[str, str]:
        """Ids, once each partition has a leader: a client that comes sooner would wait out a metadata interval."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CHANGE_SECONDS
        while True:
            described = await self._describe([topic.name for topic in topics])
            _check_partitions(topics, described)
            waiting = [topic.name for topic in topics if not _led(described[topic.name], topic)]
            if not waiting:
                return {name: str(found.topic_id) for name, found in described.items() if found is not None}
            if loop.time() >= deadline:
                raise KafkaUnavailable(
                    f"topic {waiting[0]} has no leader, or fewer partitions than wanted, after {CHANGE_SECONDS:.0f} s: "
                    "look at the brokers' logs"
                )
            await asyncio.sleep(LEADER_POLL_SECONDS)  # Kafka gives no notice of leaders; not on the path of a round

    async def _wait_for_logs(self, topics: Sequence[TopicSpec]) -> None:
        """Until each new partition answers: metadata names a leader a moment before the broker knows that it is one,
        and a client that comes in between is told "not leader", which would pass for an outage.
        """
        waiting = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CHANGE_SECONDS
        while waiting:
            earliest = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # its hints leave this one out
            asked = self._admin.list_offsets(dict.fromkeys(waiting, earliest), request_timeout=ANSWER_SECONDS)
            doing = "asking a new partition where its log begins"
            answers = {
                partition: await self._answers.succeeded(future, doing, unless=NOT_LED_YET)
                for partition, future in asked.items()
            }
            waiting = [partition for partition, answered in answers.items() if not answered]
            if waiting and loop.time() >= deadline:
                raise KafkaUnavailable(
                    f"{waiting[0]} does not answer after {CHANGE_SECONDS:.0f} s: look at the brokers"
                )
            if waiting:
                await asyncio.sleep(LEADER_POLL_SECONDS)  # as above

    async def _describe(self, names: Sequence[str]) -> dict[str, TopicDescription | None]:
        if not names:
            return {}
        futures = self._admin.describe_topics(TopicCollection(list(names)), request_timeout=ANSWER_SECONDS)
        described: dict[str, TopicDescription | None] = {}
        for name, future in futures.items():
            exists = await self._answers.succeeded(future, f"describing topic {name}", unless=UNKNOWN)
            described[name] = future.result() if exists else None
        return described


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
