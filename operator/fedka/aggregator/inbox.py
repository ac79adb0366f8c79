"""The engine's one queue, with a bound for each source that others can fill.

A participant that floods its control log must cost itself, not the aggregator's memory or the others' turn: a source
waits when this many of its events are unhandled, and the records stay in Kafka. Events of our own threads are few and
are never held up.
"""

import queue
import threading
from collections.abc import Callable

from fedka.aggregator.events import Event

WAKE_SECONDS = 0.25  # how soon a source that waits notices that the inbox is closed


class Inbox:
    """A queue of events."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[Event, threading.Semaphore | None]] = queue.SimpleQueue()
        self._closed = threading.Event()

    def put(self, event: Event) -> None:
        """Add an event of ours; never waits, so a signal handler may call it."""
        self._queue.put((event, None))

    def source(self, limit: int) -> Callable[[Event], None]:
        """A way in that waits while `limit` of its events are unhandled."""
        slots = threading.Semaphore(limit)

        def put(event: Event) -> None:
            while not slots.acquire(timeout=WAKE_SECONDS):
                if self._closed.is_set():
                    return
            self._queue.put((event, slots))

        return put

    def get(self, timeout: float | None) -> Event:
        """The next event. Raises queue.Empty after `timeout` seconds."""
        event, slots = self._queue.get(timeout=timeout)
        if slots is not None:
            slots.release()
        return event

    def close(self) -> None:
        """Let the sources go."""
        self._closed.set()
