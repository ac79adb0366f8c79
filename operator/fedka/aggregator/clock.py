"""The aggregator's clock: the broker's time, carried on by a monotonic clock.

No wall clock of a pod decides anything. What the broker stamped on the last journal record, plus the time since its
acknowledgement, is never ahead of the broker, so a deadline that has passed here has passed there.
"""


class BrokerClock:
    """Broker time in milliseconds (LogAppendTime) as a function of monotonic seconds."""

    def __init__(self, time_ms: int, monotonic: float) -> None:
        self._time_ms = time_ms
        self._monotonic = monotonic

    def observe(self, time_ms: int, monotonic: float) -> None:
        """A record stamped `time_ms` was acknowledged at `monotonic`."""
        self._time_ms = time_ms
        self._monotonic = monotonic

    def now_ms(self, monotonic: float) -> float:
        """The broker's time now, or a little before."""
        return self._time_ms + (monotonic - self._monotonic) * 1000.0

    def at(self, time_ms: float) -> float:
        """The monotonic time at which this clock will show `time_ms`."""
        return self._monotonic + (time_ms - self._time_ms) / 1000.0
