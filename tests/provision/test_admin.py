"""Topics on a real Apache Kafka."""

import asyncio
import contextlib
from collections.abc import Mapping

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from fedka.kafka.access import client_settings
from fedka.local.kafka_server import KafkaServer
from fedka.plan.parts import TopicSpec
from fedka.provision.admin import AdminProvisioner
from fedka.reconcile.provisioning import KafkaUnavailable, TopicRefused
from fedka.wire.bundle import KafkaAccess

pytestmark = pytest.mark.kafka

LASTING = {"retention.ms": "-1", "message.timestamp.type": "LogAppendTime"}
MANY = 300
GENEROUS_SECONDS = 300
# Each is a record for the controller: so few topics hold as many as those of a thousand participants.
SETTINGS = LASTING | {
    "cleanup.policy": "delete",
    "compression.type": "producer",
    "delete.retention.ms": "1000000",
    "file.delete.delay.ms": "60001",
    "flush.messages": "1000000",
    "flush.ms": "1000000",
    "index.interval.bytes": "4097",
    "local.retention.bytes": "-2",
    "local.retention.ms": "-2",
    "max.compaction.lag.ms": "1000000",
    "max.message.bytes": "1048588",
    "message.timestamp.after.max.ms": "3600000",
    "message.timestamp.before.max.ms": "3600000",
    "min.cleanable.dirty.ratio": "0.6",
    "min.compaction.lag.ms": "0",
    "min.insync.replicas": "1",
    "preallocate": "false",
    "retention.bytes": "-1",
    "segment.bytes": "16777216",
    "segment.index.bytes": "1048576",
    "segment.jitter.ms": "0",
    "segment.ms": "1000000",
    "unclean.leader.election.enable": "false",
    "compression.gzip.level": "6",
    "compression.lz4.level": "9",
    "compression.zstd.level": "3",
    "remote.storage.enable": "false",
    "remote.log.copy.disable": "false",
    "remote.log.delete.on.disable": "false",
    "leader.replication.throttled.replicas": "",
    "follower.replication.throttled.replicas": "",
}


@pytest.fixture
def admin(kafka: KafkaServer) -> AdminProvisioner:
    return AdminProvisioner(client_settings(KafkaAccess(bootstrap_servers=kafka.bootstrap_servers)))


def settings_of(kafka: KafkaServer, topic: str) -> dict[str, str]:
    client = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    (future,) = client.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return {name: entry.value for name, entry in future.result(timeout=30).items()}


async def test_topics_are_made_with_their_partitions_and_settings(admin: AdminProvisioner, kafka: KafkaServer):
    made = await admin.ensure_topics([TopicSpec("admin.made.one", 1, LASTING), TopicSpec("admin.made.two", 2)])
    assert set(made) == {"admin.made.one", "admin.made.two"}
    assert len(set(made.values())) == 2
    described = await asyncio.to_thread(settings_of, kafka, "admin.made.one")
    assert {key: described[key] for key in LASTING} == LASTING


async def test_more_topics_than_a_controller_takes_at_once_are_made_all_the_same(admin: AdminProvisioner):
    topics = [TopicSpec(f"admin.many.{number}", 1, SETTINGS) for number in range(MANY)]
    made: Mapping[str, str] = {}
    async with asyncio.timeout(GENEROUS_SECONDS):
        while not made:
            with contextlib.suppress(
                KafkaUnavailable
            ):  # a busy machine's broker: it is asked again, as by the operator
                made = await admin.ensure_topics(topics)
    assert len(made) == MANY
    with contextlib.suppress(KafkaUnavailable):  # only so that the broker has less to do for other tests
        await admin.delete_topics(list(made))


async def test_ensuring_again_changes_nothing(admin: AdminProvisioner):
    topics = [TopicSpec("admin.again", 2, LASTING)]
    assert await admin.ensure_topics(topics) == await admin.ensure_topics(topics)


async def test_a_setting_that_differs_is_altered_and_the_others_stay(admin: AdminProvisioner, kafka: KafkaServer):
    await admin.ensure_topics([TopicSpec("admin.altered", 1, LASTING)])
    await admin.ensure_topics([TopicSpec("admin.altered", 1, {"retention.bytes": "123456789"})])
    described = await asyncio.to_thread(settings_of, kafka, "admin.altered")
    assert described["retention.bytes"] == "123456789"
    assert described["retention.ms"] == "-1"


async def test_ids_tell_what_exists_and_what_was_made_anew(admin: AdminProvisioner):
    first = await admin.ensure_topics([TopicSpec("admin.anew", 1)])
    assert await admin.topic_ids(["admin.anew", "admin.never"]) == {**first, "admin.never": None}
    await admin.delete_topics(["admin.anew"])
    second = await admin.ensure_topics([TopicSpec("admin.anew", 1)])
    assert second["admin.anew"] != first["admin.anew"]


async def test_topics_are_listed_by_prefix_and_deleted_by_name(admin: AdminProvisioner):
    await admin.ensure_topics([TopicSpec("admin.gone.a", 1), TopicSpec("admin.gone.b", 1)])
    assert await admin.list_topics("admin.gone.") == ["admin.gone.a", "admin.gone.b"]
    await admin.delete_topics(["admin.gone.a", "admin.gone.b", "admin.gone.c"])
    assert await admin.topic_ids(["admin.gone.a", "admin.gone.b"]) == {"admin.gone.a": None, "admin.gone.b": None}


async def test_a_topic_with_too_few_partitions_is_somebody_elses(admin: AdminProvisioner):
    await admin.ensure_topics([TopicSpec("admin.few", 1)])
    with pytest.raises(TopicRefused, match=r"topic admin\.few has 1 partitions and needs 2"):
        await admin.ensure_topics([TopicSpec("admin.few", 2)])


async def test_a_setting_that_kafka_refuses_is_named_with_the_topic(admin: AdminProvisioner):
    with pytest.raises(TopicRefused, match=r"creating topic admin\.bad"):
        await admin.ensure_topics([TopicSpec("admin.bad", 1, {"retention.ms": "soon"})])


async def test_more_replicas_than_brokers_are_refused(kafka: KafkaServer):
    settings = client_settings(KafkaAccess(bootstrap_servers=kafka.bootstrap_servers))
    provisioner = AdminProvisioner(settings, replication=3)
    with pytest.raises(TopicRefused, match=r"creating topic admin\.replicas"):
        await provisioner.ensure_topics([TopicSpec("admin.replicas", 1)])


async def test_no_broker_is_unavailable_and_not_refused(unused_tcp_port: int):
    provisioner = AdminProvisioner(client_settings(KafkaAccess(bootstrap_servers=f"127.0.0.1:{unused_tcp_port}")))
    with pytest.raises(KafkaUnavailable):
        await provisioner.topic_ids(["admin.any"])
