"""Many runs' logs on few consumers."""

import secrets
import threading
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from fedka.kafka.access import Settings
from fedka.kafka.errors import KafkaTrouble
from fedka.kafka.log_record import LogRecord
from fedka.kafka.shared_tail import Reader, SharedTails
from fedka.kafka.tail import PARTITIONS_PER_CONSUMER
from fedka.kafka.writer import RecordWriter

from ..integration.topics import make_topics

pytestmark = pytest.mark.kafka
PATIENCE = 60.0
NewTopics = Callable[[int], list[str]]


class Heard:
    """What one reader is told."""

    def __init__(self) -> None:
        self.values: list[bytes | None] = []
        self.troubles: list[KafkaTrouble] = []
        self._changed = threading.Condition()

    def reader(self, *topics: str) -> Reader:
        return Reader(topics, deliver=self._deliver, trouble=self._hear)

    def until(self, count: int) -> list[bytes | None]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.values) >= count, PATIENCE)
        return self.values

    def until_trouble(self) -> list[KafkaTrouble]:
        with self._changed:
            assert self._changed.wait_for(lambda: self.troubles, PATIENCE)
        return self.troubles

    def _deliver(self, record: LogRecord) -> None:
        with self._changed:
            self.values.append(record.value)
            self._changed.notify_all()

    def _hear(self, trouble: KafkaTrouble) -> None:
        with self._changed:
            self.troubles.append(trouble)
            self._changed.notify_all()


@pytest.fixture
def new_topics(admin: AdminClient) -> NewTopics:
    def make(count: int) -> list[str]:
        names = [f"test.{secrets.token_hex(8)}" for _ in range(count)]
        make_topics(admin, [NewTopic(name, 1, 1) for name in names])
        return names

    return make


@pytest.fixture
def tails(settings: Settings) -> Iterator[SharedTails]:
    made = SharedTails(settings, name="test")
    yield made
    made.close()


@pytest.fixture
def writer(settings: Settings) -> Iterator[RecordWriter]:
    made = RecordWriter(settings, name="test")
    yield made
    made.close()


def test_each_reader_gets_its_own_records_in_order(tails: SharedTails, writer: RecordWriter, new_topics: NewTopics):
    first, second = new_topics(2)
    for number in range(5):
        writer.write_now(first, 0, b"%d" % number)
    one, two = Heard(), Heard()
    tails.follow(one.reader(first))
    tails.follow(two.reader(second))
    writer.write_now(second, 0, b"other")
    assert one.until(5) == [b"0", b"1", b"2", b"3", b"4"]
    assert two.until(1) == [b"other"]
    assert tails.consumers == 1


def test_a_topic_that_is_followed_again_begins_with_its_first_record(
    tails: SharedTails, writer: RecordWriter, new_topics: NewTopics
):
    (topic,) = new_topics(1)
    for number in range(200):
        writer.write(topic, 0, b"%d" % number, lambda _: None)
    assert writer.flush(PATIENCE)
    for _ in range(3):
        heard = Heard()
        tails.follow(heard.reader(topic))
        heard.until(1)
        tails.unfollow([topic])
    heard = Heard()
    tails.follow(heard.reader(topic))
    assert heard.until(200) == [b"%d" % number for number in range(200)]


def test_a_consumer_holds_so_many_partitions_and_ends_with_the_last(tails: SharedTails, new_topics: NewTopics):
    topics = new_topics(PARTITIONS_PER_CONSUMER + 1)
    for topic in topics:
        tails.follow(Heard().reader(topic))
    assert tails.consumers == 2
    tails.unfollow(topics[:-1])
    assert tails.consumers == 1
    tails.unfollow(topics[-1:])
    assert tails.consumers == 0


def test_a_reader_whose_records_are_gone_ends_and_the_others_go_on(
    tails: SharedTails, writer: RecordWriter, new_topics: NewTopics, free: Callable[[str, int, int], None]
):
    lost, kept = new_topics(2)
    for topic in (lost, kept):
        writer.write_now(topic, 0, b"0")
        writer.write_now(topic, 0, b"1")
    free(lost, 0, 1)
    unlucky, lucky = Heard(), Heard()
    tails.follow(unlucky.reader(lost))
    tails.follow(lucky.reader(kept))
    assert unlucky.until_trouble()[0].fatal
    lucky.until(2)
    writer.write_now(kept, 0, b"2")
    assert lucky.until(3) == [b"0", b"1", b"2"]
    assert unlucky.values == []
