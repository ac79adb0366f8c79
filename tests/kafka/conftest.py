"""Topics of a test's own on the shared broker."""

import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from fedka.kafka.access import Settings, client_settings
from fedka.local.kafka_server import KafkaServer
from fedka.wire.bundle import KafkaAccess

from ..integration.topics import make_topics


@pytest.fixture(scope="session")
def settings(kafka: KafkaServer) -> Settings:
    return client_settings(KafkaAccess(bootstrap_servers=kafka.bootstrap_servers))


@pytest.fixture(scope="session")
def admin(kafka: KafkaServer) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka.bootstrap_servers})


@pytest.fixture
def topic(admin: AdminClient) -> str:
    """A new topic of two partitions, stamped by the broker."""
    return make_topic(admin)


@pytest.fixture
def narrow_topic(admin: AdminClient) -> str:
    """One that takes no more than 1000 bytes at once."""
    return make_topic(admin, {"max.message.bytes": "1000"})


def make_topic(admin: AdminClient, more: Mapping[str, str] = MappingProxyType({})) -> str:
    name = f"test.{secrets.token_hex(8)}"
    config = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1", **more}
    make_topics(admin, [NewTopic(name, 2, 1, config=config)])
    return name


@pytest.fixture
def free(admin: AdminClient) -> Callable[[str, int, int], None]:
    """What retention does, at once: records of (topic, partition) below an offset go."""

    def delete(topic: str, partition: int, before: int) -> None:
        for deleted in admin.delete_records([TopicPartition(topic, partition, before)]).values():
            deleted.result()

    return delete
