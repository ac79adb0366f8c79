"""The topics of a run, as the operator would make them."""

from collections.abc import Sequence

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from fedka.wire.names import UPDATE_PARTITIONS, RunTopics

from .followed_journal import eventually

TOPIC = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1", "retention.bytes": "-1"}


def create_topics(bootstrap: str, topics: RunTopics, participants: Sequence[str]) -> None:
    """All topics of a run with these participants."""
    shared = [topics.spec, topics.journal, topics.audit, topics.model, topics.state]
    new = [NewTopic(name, 1, 1, config=TOPIC) for name in shared]
    new += [NewTopic(topics.update(name), UPDATE_PARTITIONS, 1, config=TOPIC) for name in participants]
    make_topics(AdminClient({"bootstrap.servers": bootstrap}), new)


def make_topics(admin: AdminClient, new: Sequence[NewTopic]) -> None:
    """Make these topics, and wait until their partitions are led.

    That they are made is answered before. Until then readers are told that there is no such topic, and of records that
    are handed over one after another the first may be refused for the moment, and land behind those after it.
    """
    for created in admin.create_topics(list(new)).values():
        created.result()
    places = {
        TopicPartition(topic.topic, number): OffsetSpec.latest()
        for topic in new
        for number in range(topic.num_partitions)
    }
    eventually(lambda: _all_led(admin, places), "the leading of new topics")


def _all_led(admin: AdminClient, places: dict[TopicPartition, OffsetSpec]) -> bool:
    try:
        for offset in admin.list_offsets(places).values():
            offset.result()
    except KafkaException:
        admin.list_topics(timeout=10)  # or it goes on to believe that nobody leads them
        return False
    return True


def delete_records(bootstrap: str, topic: str, partition: int, before: int) -> None:
    """What retention does, at once: records below the offset `before` go."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for deleted in admin.delete_records([TopicPartition(topic, partition, before)]).values():
        deleted.result()


def change_topic(bootstrap: str, topic: str, name: str, value: str) -> None:
    """What somebody does by hand to a topic that is in use."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for changed in admin.incremental_alter_configs([resource]).values():
        changed.result()
