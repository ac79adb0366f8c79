"""How long Kafka may refuse before it is believed.

A user that was made this moment is not known to every broker yet. A broker that has just started is no other case: it
serves nobody before it has loaded users and rights.
"""

from collections.abc import Callable

from fedka.kafka.errors import AccessRefused, KafkaError, TopicRefused, WriteForbidden

REFUSED_SECONDS = 10.0  # five answers that a password is refused, as each is waited for two seconds


class Patience:
    """With refusals alone: whatever else Kafka says, or that it is away, begins the time anew. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float], seconds: float = REFUSED_SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._since: float | None = None

    def hear(self, error: KafkaError) -> None:
        """Take an error in; raises a refusal that has stood for long enough."""
        if not isinstance(error, AccessRefused | TopicRefused | WriteForbidden):
            self._since = None
            return
        now = self._clock()
        if self._since is None:
            self._since = now
        if now - self._since >= self._seconds:
            raise error

    def answered(self) -> None:
        """Kafka has done what it was asked."""
        self._since = None
