"""Keys that are ready to be worked on, in lanes that take turns."""

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Lanes(Generic[K]):
    """First come, first served within a lane; of each lane at most `share` keys are out at a time."""

    def __init__(self, lane: Callable[[K], str], share: int) -> None:
        self._lane = lane
        self._share = share
        self._ready: dict[str, dict[K, None]] = {}  # lanes in the order of their turns
        self._lane_of: dict[K, str] = {}  # of those that are ready
        self._taken: dict[K, str] = {}
        self._out: Counter[str] = Counter()

    def __len__(self) -> int:
        """Keys that are ready."""
        return len(self._lane_of)

    def __contains__(self, key: K) -> bool:
        """Whether the key is ready."""
        return key in self._lane_of

    def is_taken(self, key: K) -> bool:
        """Whether it is out."""
        return key in self._taken

    def add(self, key: K) -> None:
        """The key is ready, unless it has been so already."""
        if key not in self._lane_of:
            lane = self._lane_of[key] = self._lane(key)
            self._ready.setdefault(lane, {})[key] = None

    def take(self) -> K | None:
        """The next key of a lane that has room, None where there is none; `done` must follow."""
        for lane, keys in list(self._ready.items()):
            if self._out[lane] < self._share:
                key = next(iter(keys))
                self.discard(key)
                if keys:
                    self._ready[lane] = self._ready.pop(lane)  # the others come first next time
                self._taken[key] = lane
                self._out[lane] += 1
                return key
        return None

    def done(self, key: K) -> None:
        """The key is no longer out."""
        lane = self._taken.pop(key)
        self._out[lane] -= 1
        if not self._out[lane]:
            del self._out[lane]

    def discard(self, key: K) -> None:
        """The key is not ready any more."""
        lane = self._lane_of.pop(key, None)
        if lane is not None:
            del self._ready[lane][key]
            if not self._ready[lane]:
                del self._ready[lane]

    def clear(self) -> None:
        """Nothing is ready."""
        self._ready.clear()
        self._lane_of.clear()
