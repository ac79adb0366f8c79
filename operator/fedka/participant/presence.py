"""Saying "alive" from a thread of its own, so that it is said while the app trains."""

import logging
import threading
from collections.abc import Callable

from fedka.kafka.errors import WriteFailed
from fedka.kafka.writer import Outcome, Written
from fedka.wire.records import Alive, Record

LOGGER = logging.getLogger("fedka.participant")
ALIVE_SECONDS = 10.0  # three missed ones mean lost


class Heartbeat:
    """Says alive every `seconds` from `start()` to `stop()`.

    While one is not acknowledged no other is sent: an outage must not end in a burst of old ones.
    """

    def __init__(
        self,
        say_soon: Callable[[Record, Callable[[Outcome], None]], None],
        *,
        seconds: float,
        stopping: threading.Event | None = None,
    ) -> None:
        """`stopping` ends it when set, and is what it waits on in between."""
        self._say_soon = say_soon
        self._seconds = seconds
        self._stopping = stopping or threading.Event()
        self._acknowledged = threading.Event()
        self._acknowledged.set()
        self._thread = threading.Thread(target=self._run, name="alive", daemon=True)

    def start(self) -> None:
        """Begin; the first one is due after `seconds`, as a hello has just been said."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            if not self._acknowledged.is_set():
                continue
            self._acknowledged.clear()
            try:
                self._say_soon(Alive(), self._done)
            except WriteFailed as error:
                self._done(error)

    def _done(self, outcome: Outcome) -> None:
        if not isinstance(outcome, Written):
            LOGGER.warning("alive was not heard: %s", outcome)
        self._acknowledged.set()
