"""Who is there: heard of within three alive intervals.

A broker's outage silences everybody and must declare nobody lost, so all timers start anew after trouble with Kafka,
after a restart of ours, and when a silence of everybody ends.
"""

from collections.abc import Iterable

ALIVE_SECONDS = 10.0
LOST_INTERVALS = 3.1  # three missed, and what a record may take
SILENCE_INTERVALS = 1.1
CHANGES = 4  # a participant may join this often...
PER_SECONDS = 240.0  # ...in this time: one joined and one lost a minute is what the journal can keep for ever


class Presence:
    """When each present participant was heard of last; times are monotonic seconds.

    `alive_seconds` is how often a participant says that it is there.
    """

    def __init__(self, alive_seconds: float = ALIVE_SECONDS) -> None:
        self._lost_seconds = LOST_INTERVALS * alive_seconds
        self._silence_seconds = SILENCE_INTERVALS * alive_seconds
        self._heard: dict[str, float] = {}
        self._last = 0.0
        self._asked = 0.0
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
        if now - self._last > self._silence_seconds:
            self.restart(now)
        self._last = now
        if participant in self._heard:
            self._heard[participant] = now

    def lost(self, now: float) -> list[str]:
        """Those not heard of for too long."""
        return sorted(name for name, heard in self._heard.items() if now - heard >= self._lost_seconds)

    def is_silent(self, now: float) -> bool:
        """Whether nobody at all was heard of for so long that Kafka itself may be away; once an interval."""
        if not self._heard or now - max(self._last, self._asked) <= self._silence_seconds:
            return False
        self._asked = now
        return True

    def next_check(self) -> float | None:
        """When the next one could be lost, or Kafka should be asked whether it is there."""
        if not self._heard:
            return None
        silence = max(self._last, self._asked) + self._silence_seconds
        return min(silence, min(self._heard.values()) + self._lost_seconds)

    def may_join(self, participant: str, now: float) -> bool:
        """Whether another joined record for it may be written now; counts it if so."""
        recent = [then for then in self._joins.get(participant, []) if now - then < PER_SECONDS]
        allowed = len(recent) < CHANGES
        self._joins[participant] = [*recent, now] if allowed else recent
        return allowed
