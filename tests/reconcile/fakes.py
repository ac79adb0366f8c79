"""Kafka in memory behind the reconciler's ports, and a hand that writes what an aggregator would write."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fedka.kafka.errors import KafkaTrouble
from fedka.kafka.log_record import LogRecord
from fedka.plan.parts import TopicSpec
from fedka.plan.snapshot import Published, from_milliseconds
from fedka.reconcile.kafka_side import KafkaSide
from fedka.reconcile.provisioning import CredentialsRefused, IdentityRefused, KafkaUnavailable, Login, TopicRefused
from fedka.reconcile.run_log import Deliver, LogEnds, OnTrouble
from fedka.reconcile.spec_topic import newest
from fedka.wire.codec import encode
from fedka.wire.journal import JournalPosition, judge, sign, start
from fedka.wire.names import RunTopics
from fedka.wire.records import AggregatorStarted, JournalRecord, Record, Spec

DENIED = "the password of user fedka-operator was refused"


@dataclass
class FakeTopic:
    id: str
    spec: TopicSpec
    records: list[LogRecord] = field(default_factory=list)


@dataclass
class FakeKafka:
    """Implements `Provisioner`, `RunLogs` and `SpecTopics` at once; turn `available` off to take it away."""

    available: bool = True
    refusal: str = ""
    topics: dict[str, FakeTopic] = field(default_factory=dict)
    made: int = 0
    ensured: list[str] = field(default_factory=list)
    users: dict[str, Login] = field(default_factory=dict)
    upserted: list[str] = field(default_factory=list)
    identity_refusal: str = ""
    denied: bool = False
    changed: Callable[[], None] = lambda: None
    followers: dict[str, tuple[RunTopics, Deliver, OnTrouble]] = field(default_factory=dict)
    closed: bool = False
    held: set[str] = field(default_factory=set)  # topics whose past comes with `release` only

    def side(self) -> KafkaSide:
        return KafkaSide(provisioner=self, run_logs=self, spec_topics=self)

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if not self.available:
            raise KafkaUnavailable("no broker answers", everywhere="no broker answers")
        if self.denied:
            raise CredentialsRefused(DENIED, everywhere=DENIED)

    async def ensure_topics(self, topics: Sequence[TopicSpec]) -> Mapping[str, str]:
        await self._answer()
        if self.refusal:
            raise TopicRefused(self.refusal)
        for topic in topics:
            if topic.name not in self.topics:
                self.made += 1
                self.topics[topic.name] = FakeTopic(f"topic-{self.made}", topic)
            self.topics[topic.name].spec = topic
            self.ensured.append(topic.name)
        self.changed()
        return {topic.name: self.topics[topic.name].id for topic in topics}

    async def topic_ids(self, names: Sequence[str]) -> Mapping[str, str | None]:
        await self._answer()
        return {name: self.topics[name].id if name in self.topics else None for name in names}

    async def list_topics(self, prefix: str) -> Sequence[str]:
        await self._answer()
        return sorted(name for name in self.topics if name.startswith(prefix))

    async def delete_topics(self, names: Sequence[str]) -> None:
        await self._answer()
        for name in names:
            self.topics.pop(name, None)
        self.changed()

    async def cluster_id(self) -> str:
        await self._answer()
        return "this-kafka"

    async def ensure_identities(self, logins: Sequence[Login]) -> None:
        await self._answer()
        if self.identity_refusal:
            raise IdentityRefused(self.identity_refusal)
        for login in logins:
            self.users[login.identity.user] = login
            self.upserted.append(login.identity.user)
        self.changed()

    async def users_of(self, topic: str, prefix: str) -> frozenset[str]:
        await self._answer()
        rights = {name: {grant.topic for grant in login.identity.grants} for name, login in self.users.items()}
        return frozenset(name for name, topics in rights.items() if name.startswith(prefix) and topic in topics)

    async def remove_identities(self, users: Sequence[str]) -> None:
        await self._answer()
        if self.identity_refusal:
            raise IdentityRefused(self.identity_refusal)
        for user in users:
            self.users.pop(user, None)
        self.changed()

    async def follow(self, topics: RunTopics, *, deliver: Deliver, trouble: OnTrouble) -> LogEnds:
        await self._answer()
        self.followers[topics.run] = (topics, deliver, trouble)
        self.changed()
        loop = asyncio.get_running_loop()
        for name in (topics.journal, topics.audit):
            if self.topics[name].records and name not in self.held:
                loop.call_soon(deliver, list(self.topics[name].records))
        return LogEnds(len(self.topics[topics.journal].records), len(self.topics[topics.audit].records))

    def release(self, topic: str) -> None:
        """Let who follows have the past of this topic now."""
        self.held.remove(topic)
        for topics, deliver, _ in list(self.followers.values()):
            if topic in (topics.journal, topics.audit):
                deliver(list(self.topics[topic].records))

    async def unfollow(self, topics: RunTopics) -> None:
        self.followers.pop(topics.run, None)
        self.changed()

    async def newest(self, topic: str) -> Published | None:
        await self._answer()
        return newest(self.topics[topic].records)

    async def publish(self, topic: str, spec: Spec) -> Published:
        await self._answer()
        record = self.append(topic, spec)
        self.changed()
        return Published(spec, from_milliseconds(record.time_ms))

    async def close(self) -> None:
        self.closed = True
        self.followers.clear()

    def append(self, topic: str, record: Record | bytes) -> LogRecord:
        """Write a record as a client would, and deliver it to who follows."""
        data = record if isinstance(record, bytes) else encode(record)
        log = self.topics[topic].records
        written = LogRecord(topic, 0, len(log), int(time.time() * 1000), data)
        log.append(written)
        for topics, deliver, _ in list(self.followers.values()):
            if topic in (topics.journal, topics.audit):
                deliver([written])
        return written

    def complain(self, run: str, message: str, *, fatal: bool = False) -> None:
        """What a tail says when something is wrong with it."""
        self.followers[run][2](KafkaTrouble(message, fatal=fatal))

    def aggregator(self, topics: RunTopics) -> "Hand":
        """An aggregator that has just started on this journal."""
        position = JournalPosition()
        for record in self.topics[topics.journal].records:
            position, _ = judge(position, record.value)
        data = start(position, AggregatorStarted(software="test"))
        self.append(topics.journal, data)
        return Hand(self, topics, judge(position, data)[0])

    def specs(self, topics: RunTopics) -> list[Spec]:
        """All spec records of a run."""
        return [Spec.model_validate_json(record.value or b"") for record in self.topics[topics.spec].records]


@dataclass
class Hand:
    """Writes a journal as its holder."""

    kafka: FakeKafka
    topics: RunTopics
    position: JournalPosition

    def write(self, *records: JournalRecord) -> None:
        for record in records:
            self.position, data = sign(self.position, record)
            self.kafka.append(self.topics.journal, data)


@dataclass
class Clock:
    """Time that only moves when told to."""

    now: datetime
    seconds: float = 0.0

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.seconds
