"""A queue of keys: each is worked on by one worker at a time, and never waits in it twice.

A key that is added while it is being worked on comes again afterwards. Failures back off per key, with jitter, so that
many keys that fail for one cause do not come back all at once. Keys may be told apart into lanes, of which none can
take more than its share of the workers: what hangs in one lane holds up no other.
"""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Generic, Protocol

from fedka.reconcile.lanes import K, Lanes


class QueueClosedError(Exception):
    """There is no more work: the worker ends."""


class Cancellable(Protocol):
    """What a timer gives back."""

    def cancel(self) -> None:
        """Never call."""
        ...


class Timer(Protocol):
    """`asyncio.loop.call_later`, passed in so that tests need not wait."""

    def __call__(self, delay: float, callback: Callable[[], None], /) -> Cancellable:
        """Call back once, in `delay` seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays after failures in a row: `first`, doubled up to `most` seconds."""

    first: float = 0.05
    most: float = 60.0

    def delay(self, failures: int, random: Random) -> float:
        """Seconds to wait after so many failures: between half and the whole of the step."""
        step = min(self.most, self.first * 2.0 ** min(failures - 1, 32))
        return step * (0.5 + 0.5 * random.random())


@dataclass(slots=True)
class _Waiting:
    due: float
    handle: Cancellable


class KeyedQueue(Generic[K]):
    """For one event loop. `now` is a monotonic clock in seconds.

    At most `share` keys of one `lane` are worked on at a time; a lane is looked up when its key becomes ready.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        timer: Timer,
        random: Random,
        backoff: Backoff | None = None,
        lane: Callable[[K], str] = lambda _key: "",
        share: int = sys.maxsize,
    ) -> None:
        self._now = now
        self._timer = timer
        self._random = random
        self._backoff = backoff or Backoff()
        self._ready: Lanes[K] = Lanes(lane, share)
        self._waiting: dict[K, _Waiting] = {}
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}
        self._arrived = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        """Keys that wait, those for later included."""
        return len(self._ready) + len(self._waiting) + len(self._again)

    @property
    def depth(self) -> int:
        """Keys that could be worked on now."""
        return len(self._ready) + len(self._again)

    def add(self, key: K, *, after: float = 0.0) -> None:
        """Ask for work on the key in `after` seconds, or sooner where that was asked for before."""
        if self._closed:
            return
        if after > 0:
            self._add_later(key, after)
            return
        self._forget_timer(key)
        if self._ready.is_taken(key):
            self._again.add(key)
        else:
            self._ready.add(key)
            self._arrived.set()

    def retry(self, key: K) -> float:
        """Ask again after a failure; the delay chosen, in seconds."""
        self._failures[key] = self._failures.get(key, 0) + 1
        delay = self._backoff.delay(self._failures[key], self._random)
        self.add(key, after=delay)
        return delay

    def succeeded(self, key: K) -> None:
        """The next failure is the first again."""
        self._failures.pop(key, None)

    async def take(self) -> K:
        """The next key; `done` must follow. Raises QueueClosedError."""
        while True:
            key = self._ready.take()
            if key is not None:
                return key
            if self._closed:
                raise QueueClosedError
            self._arrived.clear()
            await self._arrived.wait()

    def done(self, key: K) -> None:
        """The worker has finished with the key."""
        self._ready.done(key)
        if self._ready:
            self._arrived.set()  # its lane has room again
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def close(self) -> None:
        """Let every worker's `take` end."""
        self._closed = True
        self._ready.clear()
        for key in list(self._waiting):
            self._forget_timer(key)
        self._arrived.set()

    def _add_later(self, key: K, after: float) -> None:
        due = self._now() + after
        waiting = self._waiting.get(key)
        if key in self._ready or key in self._again or (waiting is not None and waiting.due <= due):
            return
        self._forget_timer(key)
        self._waiting[key] = _Waiting(due, self._timer(after, lambda: self._fire(key)))

    def _fire(self, key: K) -> None:
        self._waiting.pop(key, None)
        self.add(key)

    def _forget_timer(self, key: K) -> None:
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            waiting.handle.cancel()
