"""Run logs and spec topics on a real Apache Kafka."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fedka.kafka.access import Settings, client_settings
from fedka.kafka.log_record import LogRecord
from fedka.kafka.writer import RecordWriter
from fedka.local.kafka_server import KafkaServer
from fedka.plan.parts import TopicSpec
from fedka.provision.admin import AdminProvisioner
from fedka.reconcile.provisioning import KafkaUnavailable, TopicRefused
from fedka.reconcile.run_log import KafkaRunLogs, LogEnds
from fedka.reconcile.spec_topic import KafkaSpecTopics
from fedka.wire.bundle import KafkaAccess
from fedka.wire.names import RunTopics
from fedka.wire.records import Rounds, Spec

from .conftest import GENEROUS_SECONDS

pytestmark = pytest.mark.kafka

LASTING = {"message.timestamp.type": "LogAppendTime"}


@pytest.fixture
def settings(kafka: KafkaServer) -> Settings:
    return client_settings(KafkaAccess(bootstrap_servers=kafka.bootstrap_servers))


@pytest.fixture
def make_topics(settings: Settings) -> Callable[[str], Awaitable[RunTopics]]:
    async def make(run: str) -> RunTopics:
        topics = RunTopics(run=run)
        wanted = [TopicSpec(name, 1, LASTING) for name in (topics.spec, topics.journal, topics.audit)]
        await AdminProvisioner(settings).ensure_topics(wanted)
        return topics

    return make


class Received:
    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.arrived = asyncio.Event()

    def __call__(self, records: list[LogRecord]) -> None:
        self.records.extend(records)
        self.arrived.set()

    async def until(self, count: int) -> list[LogRecord]:
        async with asyncio.timeout(GENEROUS_SECONDS):
            while len(self.records) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.records


def spec(generation: int, revision: int, count: int) -> Spec:
    return Spec(generation=generation, revision=revision, participants=("a",), rounds=Rounds(count=count))


async def test_a_followed_run_is_delivered_from_its_first_record_on(settings: Settings, make_topics):
    topics = await make_topics("c.followed.1")
    writer = RecordWriter(settings, name="test")
    written = [writer.write_now(topics.journal, 0, f"{number}".encode()) for number in range(3)]
    logs, received = KafkaRunLogs(settings), Received()
    ends = await logs.follow(topics, deliver=received, trouble=lambda _news: None)
    assert ends == LogEnds(journal=3, audit=0)
    await received.until(3)
    writer.write_now(topics.audit, 0, b"audit")
    records = await received.until(4)
    assert [(record.offset, record.time_ms) for record in records[:3]] == [(w.offset, w.time_ms) for w in written]
    assert records[3].topic == topics.audit
    await logs.close()
    writer.close()


async def test_an_unfollowed_run_is_delivered_no_longer(settings: Settings, make_topics):
    topics, other = await make_topics("c.unfollowed.1"), await make_topics("c.unfollowed.2")
    writer = RecordWriter(settings, name="test")
    logs, received, still = KafkaRunLogs(settings), Received(), Received()
    await logs.follow(topics, deliver=received, trouble=lambda _news: None)
    await logs.follow(other, deliver=still, trouble=lambda _news: None)
    await logs.unfollow(topics)
    writer.write_now(topics.journal, 0, b"1")
    writer.write_now(other.journal, 0, b"1")
    await still.until(1)
    assert received.records == []
    await logs.close()
    writer.close()


async def test_the_newest_spec_record_is_read_back(settings: Settings, make_topics):
    topics = await make_topics("c.newest.1")
    spec_topics = KafkaSpecTopics(settings)
    assert await spec_topics.newest(topics.spec) is None
    for record in (spec(1, 0, 3), spec(2, 1, 5), spec(2, 0, 4)):
        published = await spec_topics.publish(topics.spec, record)
        assert published.spec == record
    newest = await spec_topics.newest(topics.spec)
    assert newest is not None
    assert newest.spec == spec(2, 1, 5)
    await spec_topics.close()


async def test_a_topic_that_takes_no_spec_record_is_not_taken_for_kafka_being_away(settings: Settings):
    narrow, spec_topics = "fedka.spec.c.narrow.1", KafkaSpecTopics(settings)
    await AdminProvisioner(settings).ensure_topics([TopicSpec(narrow, 1, {**LASTING, "max.message.bytes": "100"})])
    with pytest.raises(TopicRefused, match="too large"):
        await spec_topics.publish(narrow, spec(1, 0, 3))
    await spec_topics.close()


async def test_of_equal_spec_records_the_last_wins(settings: Settings, make_topics):
    topics = await make_topics("c.equal.1")
    spec_topics = KafkaSpecTopics(settings)
    await spec_topics.publish(topics.spec, spec(1, 0, 3))
    await spec_topics.publish(topics.spec, spec(1, 0, 4))
    newest = await spec_topics.newest(topics.spec)
    assert newest is not None
    assert newest.spec.rounds.count == 4
    await spec_topics.close()


async def test_what_is_no_spec_record_is_skipped(settings: Settings, make_topics):
    topics = await make_topics("c.skipped.1")
    spec_topics, writer = KafkaSpecTopics(settings), RecordWriter(settings, name="test")
    await spec_topics.publish(topics.spec, spec(1, 0, 3))
    writer.write_now(topics.spec, 0, b"\xff not a record")
    newest = await spec_topics.newest(topics.spec)
    assert newest is not None
    assert newest.spec == spec(1, 0, 3)
    await spec_topics.close()
    writer.close()


async def test_no_broker_is_unavailable(unused_tcp_port: int):
    away = client_settings(KafkaAccess(bootstrap_servers=f"127.0.0.1:{unused_tcp_port}"))
    with pytest.raises(KafkaUnavailable):
        await KafkaSpecTopics(away).newest("fedka.spec.any")
