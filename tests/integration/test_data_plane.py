"""The bulk side on a real broker: whatever was begun, spoilt or taken back, the model is that of the keys asked for."""

import queue
import secrets
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from fedka.aggregator.data_plane import DataPlane
from fedka.aggregator.events import DataPlaneEnded, Event, Folded, Key, Published, PublishFailed, Tainted
from fedka.aggregator.tasks import Begin, Fold, Publish
from fedka.kafka.access import client_settings
from fedka.kafka.chunks import ChunkWriter
from fedka.kafka.errors import WriteRefused
from fedka.local.kafka_server import KafkaServer
from fedka.wire.bundle import KafkaAccess
from fedka.wire.chunks import Pointer, chunk_digest
from fedka.wire.exact import Weight
from fedka.wire.names import BULK_PARTITION, RunTopics
from fedka.wire.records import RejectReason

from .followed_journal import eventually
from .topics import change_topic, create_topics, delete_records
from .vectors import EXAMPLES, Vector, chunks_of, delta_of, digest_of, first_model, layout_of, mean_step

pytestmark = pytest.mark.kafka
PATIENCE = 60.0
SCALE = 512
NONCE = "0" * 32


class Plane:
    """A data plane and what it needs; updates get made-up commit offsets."""

    def __init__(self, bootstrap: str, coordinates: int = 20_000) -> None:
        self.layout = layout_of(coordinates)
        self.topics = RunTopics(run=f"plane.{secrets.token_hex(4)}.{secrets.token_hex(4)}")
        create_topics(bootstrap, self.topics, ("a", "b", "c"))
        settings = client_settings(KafkaAccess(bootstrap_servers=bootstrap))
        self._writer = ChunkWriter(settings, name="test")
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.plane = DataPlane(settings=settings, topics=self.topics, emit=self.events.put, at=self._pass)
        self.uploaded: dict[str, Pointer] = {}
        self._bootstrap = bootstrap
        self.at: Callable[[str], None] = lambda _: None
        self.base = first_model(self.layout)
        self.base_pointer = self._upload(self.topics.model, 0, self.base)
        self.plane.start()

    def _pass(self, point: str) -> None:
        self.at(point)

    def _upload(self, topic: str, partition: int, vector: Vector) -> Pointer:
        return self._writer.upload(topic, partition, chunks_of(vector, self.layout), upload=secrets.token_bytes(16))

    def update(self, name: str) -> Vector:
        return delta_of(name, 1, self.base)

    def fold(self, name: str, vector: Vector | None = None, *, offset: int = 1, **changes: object) -> Key:
        update = self.update(name) if vector is None else vector
        pointer = self._upload(self.topics.update(name), BULK_PARTITION, update)
        self.uploaded[name] = pointer
        task = Fold(
            key=(name, offset),
            topic=self.topics.update(name),
            pointer=pointer.model_copy(update=changes),
            layout=self.layout,
            weight=Weight(EXAMPLES[name], SCALE),
            max_norm=None,
        )
        self.plane.submit(task)
        return task.key

    def lose(self, name: str) -> None:
        """An update's chunks go, as when retention frees them."""
        end = max(self.uploaded[name].offsets()) + 1
        delete_records(self._bootstrap, self.topics.update(name), BULK_PARTITION, end)

    def publish(self, *keys: Key) -> None:
        self.plane.submit(
            Publish(
                nonce=NONCE,
                keys=frozenset(keys),
                layout=self.layout,
                base=self.base_pointer,
                strategy="FedAvg",
                weights=sum(EXAMPLES[name] for name, _ in keys),
                scale=SCALE,
            )
        )

    def is_model_refused(self) -> bool:
        """Whether the model topic takes chunks no longer."""
        try:
            self._upload(self.topics.model, 0, self.base)
        except WriteRefused:
            return True
        return False

    def next(self) -> Event:
        return self.events.get(timeout=PATIENCE)

    def published(self, *keys: Key) -> str:
        self.publish(*keys)
        event = self.next()
        assert isinstance(event, Published), event
        return event.pointer.digest

    def expected(self, *names: str) -> str:
        updates = {name: (self.update(name), EXAMPLES[name]) for name in names}
        return digest_of(mean_step(self.layout, self.base, updates, SCALE), self.layout)

    def close(self) -> None:
        self.plane.close()
        self._writer.close()


@pytest.fixture
def plane(kafka: KafkaServer) -> Iterator[Plane]:
    plane = Plane(kafka.bootstrap_servers)
    plane.plane.submit(Begin(plane.layout))
    yield plane
    plane.close()


def test_a_model_topic_that_takes_no_chunks_any_more_is_not_tried_for_ever(plane: Plane, kafka: KafkaServer) -> None:
    key = plane.fold("a")
    assert plane.next() == Folded(key)
    change_topic(kafka.bootstrap_servers, plane.topics.model, "max.message.bytes", "1000")
    eventually(plane.is_model_refused, "the change, which is answered before it is in force")
    plane.publish(key)
    ended = plane.next()
    assert isinstance(ended, DataPlaneEnded)
    assert isinstance(ended.error, WriteRefused)
    assert plane.topics.model in str(ended.error)


def spoilt(vector: Vector, index: int, value: float) -> Vector:
    """The vector with one value replaced."""
    other = vector.copy()
    other[index] = value
    return other


def test_the_model_is_the_mean_of_what_was_folded(plane: Plane) -> None:
    a, b = plane.fold("a"), plane.fold("b")
    assert {plane.next(), plane.next()} == {Folded(a), Folded(b)}
    assert plane.published(a, b) == plane.expected("a", "b")


def test_a_folded_update_that_was_not_decided_is_taken_out_again(plane: Plane) -> None:
    keys = [plane.fold(name) for name in ("a", "b", "c")]
    assert {plane.next() for _ in keys} == {Folded(key) for key in keys}
    assert plane.published(keys[0], keys[2]) == plane.expected("a", "c")


def test_an_update_that_is_half_folded_is_taken_out_again(plane: Plane) -> None:
    a = plane.fold("a")
    assert plane.next() == Folded(a)
    plane.fold("b")
    assert plane.published(a) == plane.expected("a")


@pytest.mark.parametrize("index", [0, 9_000, 19_999], ids=["first chunk", "middle", "last chunk"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -(2.0**14)])
def test_an_update_out_of_range_is_refused_and_leaves_no_trace(plane: Plane, index: int, value: float) -> None:
    a = plane.fold("a")
    assert plane.next() == Folded(a)
    bad = plane.fold("b", spoilt(plane.update("b"), index, value))
    refusal = plane.next()
    assert isinstance(refusal, Folded)
    assert (refusal.key, refusal.reason) == (bad, RejectReason.OUT_OF_RANGE)
    assert plane.published(a) == plane.expected("a")


def test_a_wrong_root_digest_is_refused_and_leaves_no_trace(plane: Plane) -> None:
    a = plane.fold("a")
    assert plane.next() == Folded(a)
    plane.fold("b", digest="0" * 64)
    refusal = plane.next()
    assert isinstance(refusal, Folded)
    assert refusal.reason is RejectReason.BAD_DIGEST
    assert plane.published(a) == plane.expected("a")


def test_what_cannot_be_taken_back_taints_until_everything_is_begun_again(plane: Plane) -> None:
    a, b = plane.fold("a"), plane.fold("b")
    assert {plane.next(), plane.next()} == {Folded(a), Folded(b)}
    plane.lose("b")
    plane.publish(a)
    assert plane.next() == Tainted()
    plane.plane.submit(Begin(plane.layout))
    again = plane.fold("a", offset=2)
    assert plane.next() == Folded(again)
    assert plane.published(again) == plane.expected("a")


def test_nothing_is_published_from_a_tainted_sum(plane: Plane) -> None:
    """The engine's order to publish may cross the news that an update could not be taken back."""
    a = plane.fold("a")
    assert plane.next() == Folded(a)
    adding, go_on = threading.Event(), threading.Event()

    def hold(_point: str) -> None:
        adding.set()
        assert go_on.wait(PATIENCE)

    plane.at = hold
    plane.fold("b", spoilt(plane.update("b"), 19_999, np.nan))
    assert adding.wait(PATIENCE)
    plane.lose("b")
    plane.publish(a)
    go_on.set()
    while plane.next() != Tainted():
        pass
    plane.plane.submit(Begin(plane.layout))
    again = plane.fold("a", offset=2)
    assert plane.next() == Folded(again)
    assert plane.published(again) == plane.expected("a")


def test_a_base_model_that_is_gone_is_reported(plane: Plane) -> None:
    a = plane.fold("a")
    assert plane.next() == Folded(a)
    plane.base_pointer = plane.base_pointer.model_copy(update={"digest": chunk_digest(b"other").hex()})
    plane.publish(a)
    failed = plane.next()
    assert isinstance(failed, PublishFailed)
    assert failed.nonce == NONCE


def test_a_fault_of_ours_is_news_not_silence(plane: Plane) -> None:
    fault = ZeroDivisionError("of a test")

    def fail(_point: str) -> None:
        raise fault

    plane.at = fail
    plane.fold("a")
    assert plane.next() == DataPlaneEnded(fault)
