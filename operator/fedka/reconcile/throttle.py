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
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._refilled = now()
        self._last: dict[K, float] = {}

    def wait(self, key: K, *, size: int, urgent: bool) -> float:
        """Seconds until the status of `key` (an object of `size` bytes) may be written; 0 takes the permission."""
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._refilled) * self._rate)
        self._refilled = now
        last = self._last.get(key)
        if not urgent and last is not None:
            due = last + max(LEAST_INTERVAL_SECONDS, size / BYTES_PER_SECOND)
            if now < due:
                return due - now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        self._last[key] = now
        return 0.0

    def forget(self, key: K) -> None:
        """The object has gone."""
        self._last.pop(key, None)
