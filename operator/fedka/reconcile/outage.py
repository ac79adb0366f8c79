"""What was found last of a Kafka cluster that does not answer, shared by all of its trainings.

Each of them asks again every few seconds whether Kafka is back, and each question waits seconds for the answer that
does not come. A hundred trainings would so keep all workers of the cluster busy for minutes, and whoever is to be told,
suspended or deleted would wait behind them. One question at a time is enough.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fedka.reconcile.provisioning import KafkaUnavailable

KNOWN_SECONDS = 4.0  # less than the pause between two questions of one training, so that somebody does ask


class Outage:
    """Of one Kafka cluster. `now` gives monotonic seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._error: KafkaUnavailable | None = None
        self._at = float("-inf")
        self._asked = 0

    def note(self, error: KafkaUnavailable) -> None:
        """Kafka has not answered; that concerns others where it would have been so whatever was asked."""
        if error.everywhere:
            self._error, self._at = error, self._now()

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Ask within this. Raises KafkaUnavailable without asking where Kafka was away when it was asked last, and that
        has just been, or is under way again.
        """
        if self._error is not None and (self._asked or self._now() < self._at + KNOWN_SECONDS):
            raise self._error.for_others()
        self._asked += 1
        try:
            yield
        except KafkaUnavailable as error:
            self.note(error)
            raise
        else:
            self._error = None
        finally:
            self._asked -= 1
