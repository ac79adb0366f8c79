"""Who is there: heard of within three alive intervals.

A broker's outage silences everybody and must declare nobody lost, so all timers start anew after trouble with Kafka,
after a restart of ours, and when a silence of everybody ends.
"""

from collections.abc import Iterable

ALIVE_SECONDS = 10.0
LOST_SECONDS = 3 * ALIVE_SECONDS + 1.0
SILENCE_SECONDS = 10.0 + 1.0
CHANGES = 4  # a participant may join this often...
PER_SECONDS = 240.0  # ...in this time: one joined and one lost a minute is what the journal can keep for ever


class Presence:
    """When each present participant was heard of last; times are monotonic seconds."""

    def __init__(self) -> None:
        self._heard: dict[str, float] = {}
        self._last = 0.0
        self._joins: dict[str, list[float]] = {}

    def restart(self, now: float) -> None:
        """Start all timers anew."""
        self._heard = dict.fromkeys(self._heard, now)
        self._last = now

    def track(self, participants: Iterable[str], now: float) -> None:
        """Watch exactly these; newcomers' timers start now."""
        self._heard = {name: self._heard.get(name, now) for name in participants}

    def heard(self, participant: str, now: float) -> None:
        """A record of the participant arrived."""
        if now - self._last > SILENCE_SECONDS:
            self.restart(now)
        self._last = now
        if participant in self._heard:
            self._heard[participant] = now

    def lost(self, now: float) -> list[str]:
        """Those not heard of for too long."""
        return sorted(name for name, heard in self._heard.items() if now - heard >= LOST_SECONDS)

    def next_check(self) -> float | None:
        """When the next one could be lost."""
        return min(self._heard.values()) + LOST_SECONDS if self._heard else None

    def may_join(self, participant: str, now: float) -> bool:
        """Whether another joined record for it may be written now; counts it if so."""
        recent = [then for then in self._joins.get(participant, []) if now - then < PER_SECONDS]
        allowed = len(recent) < CHANGES
        self._joins[participant] = [*recent, now] if allowed else recent
        return allowed
