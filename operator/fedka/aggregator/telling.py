"""How often something is told of one participant: what is told is kept for ever, so a flood is told of as a few."""

from collections.abc import Callable

TOLD = 3  # of one kind and participant...
PER_SECONDS = 60.0  # ...in this time


class Telling:
    """Counts what is told of each participant; `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._told: dict[str, tuple[float, int]] = {}  # participant -> when counting began, how many since

    def may(self, participant: str) -> bool:
        """Whether one more may be told of this participant now; counts it if so."""
        now = self._monotonic()
        began, count = self._told.get(participant, (now, 0))
        if now - began >= PER_SECONDS:
            began, count = now, 0
        allowed = count < TOLD
        self._told[participant] = (began, count + allowed)
        return allowed
