"""What a client complains of while it waits: without it a wrong password is silence, and looks like a slow network.

librdkafka tries again for ever and reports the cause on the side; asked a question, it only says that time is up.
"""

from confluent_kafka import KafkaError as Code

from fedka.kafka.access import Settings
from fedka.kafka.errors import AccessRefused, KafkaAway

_REFUSED = (Code._AUTHENTICATION, Code._SSL, Code.SASL_AUTHENTICATION_FAILED)  # noqa: SLF001 librdkafka's own names
_NEWS_OF_MANY = Code._ALL_BROKERS_DOWN  # noqa: SLF001 librdkafka's own name


class Complaints:
    """The last errors of one client; `take` is its error callback."""

    def __init__(self, settings: Settings) -> None:
        self._servers = settings["bootstrap.servers"]
        self._user = settings.get("sasl.username")
        self._refused: Code | None = None
        self._away: Code | None = None

    def take(self, error: Code) -> None:
        """Remember the cause; that all brokers are down is none."""
        if error.code() in _REFUSED:
            self._refused = error
        elif error.code() not in (_NEWS_OF_MANY, Code.GROUP_AUTHORIZATION_FAILED):
            self._away = error

    @property
    def refused(self) -> bool:
        """Whether Kafka, or our side, has refused the connection: no later answer is to be waited for."""
        return self._refused is not None

    def explain(self, question: str, answer: Code) -> KafkaAway:
        """Why a question got no answer; AccessRefused where waiting longer would not help."""
        if self._refused is not None:
            refused, self._refused = self._refused, None
            return AccessRefused(f"Kafka at {self._servers}: {self._remedy(refused)} ({refused.str()})")
        why = (self._away or answer).str()
        self._away = None
        return KafkaAway(f"no answer from Kafka at {self._servers} about {question}: {why}")

    def _remedy(self, refused: Code) -> str:
        if refused.code() != Code._SSL:  # noqa: SLF001 librdkafka's own name
            return f"the password of user {self._user} was refused: it is wrong, or the user has been revoked"
        return "no TLS connection: the broker's certificate does not fit the CA or the address, or it speaks no TLS"
