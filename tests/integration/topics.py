"""The topics of a run, as the operator would make them."""

from collections.abc import Sequence

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from fedka.wire.names import UPDATE_PARTITIONS, RunTopics

TOPIC = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1", "retention.bytes": "-1"}


def create_topics(bootstrap: str, topics: RunTopics, participants: Sequence[str]) -> None:
    """All topics of a run with these participants."""
    shared = [topics.spec, topics.journal, topics.audit, topics.model, topics.state]
    new = [NewTopic(name, 1, 1, config=TOPIC) for name in shared]
    new += [NewTopic(topics.update(name), UPDATE_PARTITIONS, 1, config=TOPIC) for name in participants]
    admin = AdminClient({"bootstrap.servers": bootstrap})  # its answers end with it
    for created in admin.create_topics(new).values():
        created.result()


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
