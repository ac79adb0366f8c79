"""Who may read and write which topic: everybody against every topic, with the clients that pods use."""

import asyncio
import queue
from collections.abc import Iterator

import numpy as np
import pytest

from fedka.kafka.chunks import ChunkWriter
from fedka.kafka.errors import KafkaError, KafkaTrouble, TopicRefused, WriteFailed
from fedka.kafka.log_record import LogRecord, Start
from fedka.kafka.log_view import LogView
from fedka.kafka.tail import Tail
from fedka.kafka.writer import RecordWriter
from fedka.plan.parts import TopicSpec
from fedka.provision.admin import AdminProvisioner

from ..cluster.secured_kafka import SecuredKafka
from .parties import Party, Run

pytestmark = pytest.mark.kafka

GENEROUS_SECONDS = 60.0
TOPICS = ("spec", "journal", "audit", "model", "state", "update.a", "update.b")
RIGHTS = {  # of the own run; whatever is not here is refused, and all of other runs
    "a": {"spec": "read", "journal": "read", "model": "read", "update.a": "write"},
    "aggregator": {
        "spec": "read",
        "journal": "read write",
        "audit": "write",
        "model": "read write",
        "state": "read write",
        "update.a": "read",
        "update.b": "read",
    },
    "reader": {"journal": "read", "model": "read"},
}
CASES = [
    pytest.param(who, run, topic, RIGHTS[who].get(topic, "") if run == "own" else "", id=f"{who}-{run}-{topic}")
    for who in RIGHTS
    for run in ("own", "other run", "other prefix")
    for topic in TOPICS
]


@pytest.fixture(scope="module")
def views(own: Run) -> Iterator[dict[str, LogView]]:
    views = {who: LogView(own.parties[who].settings, name=f"test-{who}") for who in RIGHTS}
    yield views
    for view in views.values():
        view.close()


@pytest.fixture(scope="module")
def writers(own: Run) -> Iterator[dict[str, RecordWriter]]:
    writers = {who: RecordWriter(own.parties[who].settings, name=f"test-{who}") for who in RIGHTS}
    yield writers
    for writer in writers.values():
        writer.close()


def first_of(party: Party, topic: str) -> LogRecord | KafkaTrouble:
    """What a follower is told first: a record, or that it may not read. A connection may take several tries."""
    told: queue.SimpleQueue[LogRecord | KafkaTrouble] = queue.SimpleQueue()
    tail = Tail(party.settings, [Start(topic)], deliver=told.put, trouble=told.put, name="test")
    tail.start()
    try:
        while isinstance(first := told.get(timeout=GENEROUS_SECONDS), KafkaTrouble) and not first.fatal:
            pass
        return first
    finally:
        tail.close()


@pytest.mark.parametrize(("who", "run", "short", "rights"), CASES)
def test_reading(  # noqa: PLR0917  by name
    runs: dict[str, Run], views: dict[str, LogView], who: str, run: str, short: str, rights: str
):
    party, topic = runs["own"].parties[who], runs[run].topic(short)
    if not rights:
        with pytest.raises(TopicRefused, match=f"{party.user} lacks Describe on topic {topic}"):
            views[who].check_topics([topic], party.user)
        with pytest.raises(KafkaError):
            views[who].watermarks(topic)
        return
    views[who].check_topics([topic], party.user)
    told = first_of(party, topic)
    if "read" in rights:
        assert isinstance(told, LogRecord)
        assert told.value == b"a record"
    else:
        assert isinstance(told, KafkaTrouble)
        assert "Read on the topic is refused" in told.message


@pytest.mark.parametrize(("who", "run", "short", "rights"), CASES)
def test_writing(  # noqa: PLR0917  by name
    runs: dict[str, Run], writers: dict[str, RecordWriter], who: str, run: str, short: str, rights: str
):
    topic = runs[run].topic(short)
    if "write" in rights:
        assert writers[who].write_now(topic, 0, b"another").offset >= 1
    else:
        with pytest.raises(WriteFailed, match=topic):
            writers[who].write_now(topic, 0, b"forged")


@pytest.mark.parametrize(("who", "short"), [("a", "update.a"), ("aggregator", "model"), ("aggregator", "state")])
def test_chunks_are_uploaded_where_it_is_allowed(own: Run, who: str, short: str):
    writer = ChunkWriter(own.parties[who].settings, name="test")
    partition = 1 if short.startswith("update.") else 0
    try:
        pointer = writer.upload(own.topic(short), partition, [np.zeros(8, np.uint8)], upload=bytes(16))
    finally:
        writer.close()
    assert len(pointer.offsets()) == 1


@pytest.mark.parametrize(("who", "short"), [("a", "update.b"), ("a", "model"), ("reader", "model")])
def test_chunks_are_refused_where_they_are_not(own: Run, who: str, short: str):
    writer = ChunkWriter(own.parties[who].settings, name="test")
    try:
        with pytest.raises(WriteFailed):
            writer.upload(own.topic(short), 0, [np.zeros(8, np.uint8)], upload=bytes(16), timeout_seconds=5.0)
    finally:
        writer.close()


def test_the_aggregator_reads_the_updates_of_who_is_added_later(
    own: Run, secured_kafka: SecuredKafka, views: dict[str, LogView]
):
    topic = own.topics.update("late")
    writer = RecordWriter(secured_kafka.settings(), name="test")
    asyncio.run(AdminProvisioner(secured_kafka.settings()).ensure_topics([TopicSpec(topic, 2)]))
    writer.write_now(topic, 0, b"hello")
    writer.close()
    assert [record.value for record in views["aggregator"].read_to_end(topic)] == [b"hello"]
