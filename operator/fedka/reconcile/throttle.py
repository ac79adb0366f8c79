"""How often a status is written. A round may take 30 ms; a status write costs the API server 17 to 489 ms.

Changes of phase and conditions go out at once, as far as the whole operator's rate allows. Progress waits: the larger
the object, the longer, because every write stores all of it anew and etcd keeps each version for minutes.
"""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

LEAST_INTERVAL_SECONDS = 1.0
BYTES_PER_SECOND = 20 * 1024
WRITES_PER_SECOND = 20.0
BURST = 20


class StatusThrottle(Generic[K]):
    """Says when a status may be written. `now` is a monotonic clock in seconds."""

    def __init__(self, *, now: Callable[[], float], rate: float = WRITES_PER_SECOND, burst: int = BURST) -> None:
        self._now = now
        self._pause = 1 / rate
        self._ahead = (burst - 1) * self._pause  # how far writes may run ahead of the rate
        self._next = float("-inf")  # when the next write would be due at exactly the rate
        self._turns: dict[K, float] = {}
        self._last: dict[K, float] = {}

    def wait(self, key: K, *, size: int, urgent: bool) -> float:
        """Seconds until the status of `key` (an object of `size` bytes) may be written; 0 takes the permission.

        Where all writes together are too many, each key is given a turn: thousands that asked again and again for the
        next one would have the processor to themselves.
        """
        now = self._now()
        last = self._last.get(key)
        if not urgent and last is not None:
            due = last + max(LEAST_INTERVAL_SECONDS, size / BYTES_PER_SECOND)
            if now < due:
                return due - now
        turn = self._turns.get(key)
        if turn is None:
            turn = max(now, self._next - self._ahead)
            self._next = max(now, self._next) + self._pause
        if now < turn:
            self._turns[key] = turn
            return turn - now
        self._turns.pop(key, None)
        self._last[key] = now
        return 0.0

    def forget(self, key: K) -> None:
        """The object has gone."""
        self._turns.pop(key, None)
        self._last.pop(key, None)
