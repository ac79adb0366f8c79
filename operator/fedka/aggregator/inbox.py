"""The engine's one queue, with a bound for each source that others can fill.

A participant that floods its control log must cost itself, not the aggregator's memory or the others' turn: a source
waits when too many or too large events of it are unhandled, and the records stay in Kafka. Events of our own threads
are few and are never held up.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from fedka.aggregator.events import Event

WAKE_SECONDS = 0.25  # how soon a source that waits notices that the inbox is closed


@dataclass(frozen=True, slots=True)
class Bound:
    """How many events of one source may be unhandled, and how many bytes they may hold; one event always may."""

    events: int
    bytes: int


class Inbox:
    """A queue of events."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[Event, _Source | None, int]] = queue.SimpleQueue()
        self._closed = threading.Event()

    def put(self, event: Event) -> None:
        """Add an event of ours; never waits, so a signal handler may call it."""
        self._queue.put((event, None, 0))

    def source(self, bound: Bound) -> Callable[[Event, int], None]:
        """A way in, for events with their sizes in bytes, that waits while the bound is reached."""
        source = _Source(bound, self._closed)

        def put(event: Event, size: int) -> None:
            if source.admit(size):
                self._queue.put((event, source, size))

        return put

    def get(self, timeout: float | None) -> Event:
        """The next event. Raises queue.Empty after `timeout` seconds."""
        event, source, size = self._queue.get(timeout=timeout)
        if source is not None:
            source.release(size)
        return event

    def close(self) -> None:
        """Let the sources go."""
        self._closed.set()


class _Source:
    def __init__(self, bound: Bound, closed: threading.Event) -> None:
        self._bound = bound
        self._closed = closed
        self._room = threading.Condition()
        self._events = 0
        self._bytes = 0

    def admit(self, size: int) -> bool:
        """Wait for room for one event; False once the inbox is closed."""
        with self._room:
            while not self._fits(size):
                if self._closed.is_set():
                    return False
                self._room.wait(WAKE_SECONDS)
            self._events += 1
            self._bytes += size
        return True

    def release(self, size: int) -> None:
        """An event has been handled."""
        with self._room:
            self._events -= 1
            self._bytes -= size
            self._room.notify()

    def _fits(self, size: int) -> bool:
        within = self._events < self._bound.events and self._bytes + size <= self._bound.bytes
        return self._events == 0 or within
