"""What becomes of a base model that cannot be read: it is lost, or it is only kept from us."""

from collections.abc import Iterator
from typing import cast

import pytest

from fedka.aggregator.events import Event, PublishFailed
from fedka.aggregator.publisher import Publisher
from fedka.aggregator.tasks import Publish
from fedka.kafka.errors import AccessRefused, ChunkCorrupt, ChunksGone, KafkaError, PointerUnsound, TopicRefused
from fedka.kafka.ranges import RangeReader
from fedka.wire.exact import ExactSum
from fedka.wire.names import RunTopics

from .runs import LAYOUT, NONCE, POINTER, RUN


class Failing:
    """A reader of chunks that comes to nothing."""

    def __init__(self, failure: KafkaError) -> None:
        self._failure = failure

    def read(self, *_: object) -> Iterator[tuple[int, bytes]]:
        raise self._failure


def published(failure: KafkaError) -> list[Event]:
    """What is said of a base that cannot be read."""
    said: list[Event] = []
    publisher = Publisher(
        settings={"bootstrap.servers": "127.0.0.1:1"},
        reader=cast("RangeReader", Failing(failure)),
        topics=RunTopics(run=RUN),
        emit=said.append,
        at=lambda _point: None,
    )
    task = Publish(NONCE, frozenset(), LAYOUT, POINTER, strategy="FedAvg", weights=1, scale=1)
    try:
        publisher.publish(task, ExactSum(LAYOUT))
    finally:
        publisher.close()
    return said


@pytest.mark.parametrize("failure", [ChunksGone("gone"), ChunkCorrupt("another's"), PointerUnsound("repeats")])
def test_a_base_that_is_lost_is_told_to_the_engine(failure: KafkaError) -> None:
    assert published(failure) == [PublishFailed(NONCE, str(failure))]


@pytest.mark.parametrize("failure", [TopicRefused("Read is refused"), AccessRefused("the password was refused")])
def test_a_base_that_is_kept_from_us_ends_this_process_and_not_the_run(failure: KafkaError) -> None:
    with pytest.raises(type(failure)):
        published(failure)
