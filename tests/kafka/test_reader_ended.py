"""A consumer that cannot go on, or not even begin: whoever waits for its records learns that none will come."""

import threading
from collections.abc import Iterator

import pytest

from fedka.kafka.errors import KafkaTrouble
from fedka.kafka.shared_tail import Reader, SharedTails

PATIENCE = 60.0


class Waiting:
    """A reader that waits for trouble."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self._troubles: list[KafkaTrouble] = []

    def of(self, topic: str) -> Reader:
        return Reader((topic,), deliver=lambda _: None, trouble=self._hear)

    def until_trouble(self) -> KafkaTrouble:
        assert self._told.wait(PATIENCE)
        return self._troubles[0]

    def _hear(self, trouble: KafkaTrouble) -> None:
        self._troubles.append(trouble)
        self._told.set()


@pytest.fixture
def tails() -> Iterator[SharedTails]:
    """Their authority's certificate has gone, and is read when a consumer is made."""
    settings = {
        "bootstrap.servers": "127.0.0.1:1",
        "security.protocol": "SSL",
        "ssl.ca.location": "/no/such/ca.crt",
    }
    tails = SharedTails(settings, name="test")
    yield tails
    tails.close()


def test_a_reader_whose_consumer_cannot_be_made_is_told(tails: SharedTails):
    waiting = Waiting()
    tails.follow(waiting.of("first"))
    trouble = waiting.until_trouble()
    assert trouble.fatal
    assert "ssl.ca.location" in str(trouble)


def test_who_comes_after_a_consumer_has_ended_gets_another(tails: SharedTails):
    first, second = Waiting(), Waiting()
    tails.follow(first.of("first"))
    first.until_trouble()
    tails.follow(second.of("second"))
    assert second.until_trouble().fatal
    assert tails.consumers == 2
