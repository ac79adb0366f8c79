"""One training at a time asks a Kafka that is away whether it is back."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from fedka.plan.parts import TopicSpec
from fedka.plan.snapshot import Trouble
from fedka.reconcile.kafka_side import KafkaSide
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.outage import KNOWN_SECONDS, Outage
from fedka.reconcile.provisioning import CredentialsRefused, KafkaUnavailable

from .fakes import FakeKafka

TROUBLE = Trouble("no broker answers", datetime(2026, 1, 1, tzinfo=UTC))


class Silent(FakeKafka):
    """Counts its questions; away, it fails each of them when the test says so."""

    def __init__(self) -> None:
        super().__init__(available=False)
        self.asked = self.tried_to_make = 0
        self.fails = asyncio.Event()

    async def ensure_topics(self, topics: Sequence[TopicSpec]) -> Mapping[str, str]:
        self.tried_to_make += 1
        return await super().ensure_topics(topics)

    async def _answer(self) -> None:
        self.asked += 1
        if not self.available:
            await self.fails.wait()
        await super()._answer()


class Cluster:
    """Two trainings that know that their Kafka is away, a new one, and the time."""

    def __init__(self) -> None:
        self.kafka, self.now = Silent(), 0.0
        self.side = KafkaSide(
            provisioner=self.kafka, run_logs=self.kafka, spec_topics=self.kafka, outage=Outage(lambda: self.now)
        )
        self.one, self.other = (RunMemory(uid=uid, kafka="default", trouble=TROUBLE) for uid in ("1", "2"))
        self.new = RunMemory(uid="3", kafka="default")

    async def ask(self, memory: RunMemory) -> None:
        await self.side.look_up(("topic",), memory)

    async def make(self, memory: RunMemory) -> None:
        await self.side.ensure([TopicSpec("topic", 1)], memory)


@pytest.fixture
async def cluster() -> Cluster:
    """One question has failed."""
    cluster = Cluster()
    cluster.kafka.fails.set()
    with pytest.raises(KafkaUnavailable):
        await cluster.ask(cluster.one)
    cluster.kafka.fails.clear()
    return cluster


async def test_what_one_training_has_just_found_the_others_are_told_at_once(cluster: Cluster):
    with pytest.raises(KafkaUnavailable, match="no broker answers"):
        await cluster.ask(cluster.other)
    assert cluster.kafka.asked == 1


async def test_after_a_while_one_asks_and_the_others_do_not_wait_for_it(cluster: Cluster):
    cluster.now += KNOWN_SECONDS
    asking = asyncio.create_task(cluster.ask(cluster.one))
    await asyncio.sleep(0)
    with pytest.raises(KafkaUnavailable):
        await cluster.ask(cluster.other)
    assert cluster.kafka.asked == 2
    cluster.kafka.available = True
    cluster.kafka.fails.set()
    await asking
    assert cluster.one.trouble is None


async def test_an_answer_ends_the_outage_for_all(cluster: Cluster):
    cluster.now += KNOWN_SECONDS
    cluster.kafka.available = True
    await cluster.ask(cluster.one)
    await cluster.ask(cluster.other)
    assert cluster.other.trouble is None


async def test_a_new_training_is_told_at_once_as_well(cluster: Cluster):
    with pytest.raises(KafkaUnavailable, match="no broker answers"):
        await cluster.make(cluster.new)
    assert cluster.kafka.asked == 1


async def test_who_is_to_make_topics_asks_first_whether_kafka_is_there():
    cluster = Cluster()
    cluster.kafka.fails.set()
    with pytest.raises(KafkaUnavailable):
        await cluster.make(cluster.new)
    assert cluster.kafka.tried_to_make == 0, "that may take half a minute"
    cluster.kafka.available = True
    cluster.now += KNOWN_SECONDS
    await cluster.make(cluster.new)
    assert cluster.kafka.tried_to_make == 1
    assert list(cluster.new.ensured) == ["topic"]


async def test_others_are_not_told_what_was_asked(cluster: Cluster):
    cluster.side.outage.note(KafkaUnavailable("creating fedka.spec.bank.x: timed out", everywhere="timed out"))
    with pytest.raises(KafkaUnavailable) as told:
        await cluster.ask(cluster.other)
    assert str(told.value) == "timed out"


async def test_what_concerns_one_topic_is_no_outage():
    cluster = Cluster()
    cluster.kafka.available = True
    cluster.side.outage.note(KafkaUnavailable("topic fedka.spec.bank.x has no leader"))
    await cluster.ask(cluster.other)
    assert cluster.other.trouble is None


async def test_a_refused_password_stays_one(cluster: Cluster):
    cluster.side.outage.note(CredentialsRefused("the password was refused", everywhere="the password was refused"))
    with pytest.raises(CredentialsRefused):
        await cluster.ask(cluster.other)
