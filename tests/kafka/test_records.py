"""Small records on a real broker: written in order, followed, looked up."""

import threading
from collections.abc import Callable, Iterator

import pytest

from fedka.kafka.access import Settings
from fedka.kafka.errors import KafkaTrouble, TopicMissing, WriteFailed, WriteRefused
from fedka.kafka.log_record import LogRecord, Start
from fedka.kafka.log_view import LogView
from fedka.kafka.tail import Tail
from fedka.kafka.writer import Outcome, RecordWriter, Written

pytestmark = pytest.mark.kafka
PATIENCE = 30.0


@pytest.fixture
def writer(settings: Settings) -> Iterator[RecordWriter]:
    writer = RecordWriter(settings, name="test")
    yield writer
    writer.close()


@pytest.fixture
def view(settings: Settings) -> Iterator[LogView]:
    view = LogView(settings)
    yield view
    view.close()


def test_records_land_in_order_with_the_brokers_time(writer: RecordWriter, view: LogView, topic: str) -> None:
    outcomes: list[Outcome] = []
    for number in range(50):
        writer.write(topic, 0, b"%d" % number, outcomes.append)
    assert writer.flush(PATIENCE)
    written = [outcome for outcome in outcomes if isinstance(outcome, Written)]
    assert [w.offset for w in written] == list(range(50))
    assert all(w.by_broker for w in written)
    records = view.read_to_end(topic)
    assert [r.value for r in records] == [b"%d" % number for number in range(50)]
    assert [r.time_ms for r in records] == [w.time_ms for w in written]


def test_a_record_that_the_broker_refuses_is_a_failure(writer: RecordWriter, topic: str) -> None:
    with pytest.raises(WriteFailed, match=topic):
        writer.write_now(topic, 0, b"x" * 2_000_000)


def test_a_record_too_large_for_its_topic_is_told_apart_from_a_broker_that_is_away(
    writer: RecordWriter, narrow_topic: str
) -> None:
    with pytest.raises(WriteRefused, match=f"{narrow_topic} was not acknowledged"):
        writer.write_now(narrow_topic, 0, b"x" * 2_000)
    with pytest.raises(WriteRefused, match=f"{narrow_topic} could not be handed over"):
        writer.write_now(narrow_topic, 0, b"x" * 2_000_000)


def test_a_failing_listener_is_told_of_and_keeps_the_answer_from_nobody_else(settings: Settings, topic: str) -> None:
    heard = Heard()
    writer = RecordWriter(settings, name="test", trouble=heard.trouble)

    def fail(_outcome: Outcome) -> None:
        raise LookupError("nobody is there")

    writer.write(topic, 0, b"1", fail)
    heard.wait(lambda: bool(heard.troubles))
    assert heard.troubles[0].fatal
    assert "nobody is there" in heard.troubles[0].message
    assert writer.write_now(topic, 0, b"2").offset == 1
    writer.close()


def test_a_topic_that_does_not_exist_is_named(view: LogView, topic: str) -> None:
    view.check_topics([topic], "me")
    with pytest.raises(TopicMissing, match=r"test\.nowhere"):
        view.check_topics([topic, "test.nowhere"], "me")


def test_ends_are_told_at_once(writer: RecordWriter, view: LogView, topic: str) -> None:
    for _ in range(3):
        writer.write_now(topic, 0, b"x")
    assert view.ends([(topic, 0), (topic, 1)]) == [3, 0]
    assert view.watermarks(topic) == (0, 3)


def test_single_records_are_looked_up(
    writer: RecordWriter, view: LogView, topic: str, free: Callable[[str, int, int], None]
) -> None:
    for partition in (0, 1):
        for number in range(4):
            writer.write_now(topic, partition, b"%d" % number)
    free(topic, 1, 3)
    found = view.read_each([(topic, 0, 2), (topic, 1, 1)])
    assert [record.value if record else None for record in found] == [b"2", None]
    assert view.read_each([(topic, 0, 4), (topic, 1, 9)]) == [None, None], "where a log ends, and beyond"
    assert view.read_each([(topic, 0, 4), (topic, 1, 9)]) == [None, None], "where a log ends, and beyond"


class Heard:
    """What a tail delivered, and a way to wait for it."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.troubles: list[KafkaTrouble] = []
        self._changed = threading.Condition()

    def deliver(self, record: LogRecord) -> None:
        with self._changed:
            self.records.append(record)
            self._changed.notify_all()

    def trouble(self, trouble: KafkaTrouble) -> None:
        with self._changed:
            self.troubles.append(trouble)
            self._changed.notify_all()

    def wait(self, until: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(until, PATIENCE)


def test_a_tail_delivers_what_is_there_and_what_comes(settings: Settings, writer: RecordWriter, topic: str) -> None:
    heard = Heard()
    for number in range(3):
        writer.write_now(topic, 0, b"%d" % number)
    tail = Tail(settings, [Start(topic, 0, 1), Start(topic, 1)], deliver=heard.deliver, trouble=heard.trouble, name="t")
    tail.start()
    heard.wait(lambda: len(heard.records) == 2)
    writer.write_now(topic, 1, b"later")
    heard.wait(lambda: len(heard.records) == 3)
    tail.close()
    assert [(r.partition, r.offset, r.value) for r in heard.records] == [(0, 1, b"1"), (0, 2, b"2"), (1, 0, b"later")]


def test_a_position_that_is_gone_is_fatal(
    settings: Settings, writer: RecordWriter, topic: str, free: Callable[[str, int, int], None]
) -> None:
    heard = Heard()
    for _ in range(3):
        writer.write_now(topic, 0, b"x")
    free(topic, 0, 2)
    tail = Tail(settings, [Start(topic, 0, 0)], deliver=heard.deliver, trouble=heard.trouble, name="t")
    tail.start()
    heard.wait(lambda: any(trouble.fatal for trouble in heard.troubles))
    tail.close()
    assert heard.records == []
