"""What a client complains of while it waits: without it a wrong password is silence, and looks like a slow network.

librdkafka tries again for ever and reports the cause on the side; asked a question, it only says that time is up. Some
causes that stay the same it keeps to itself for half a minute, so what it has said of a broker is true until it says
something else of it, or a broker answers.
"""

from confluent_kafka import KafkaError as Code

from fedka.kafka.access import Settings
from fedka.kafka.errors import AccessRefused, KafkaAway, PasswordRefused

_REFUSED = (Code._AUTHENTICATION, Code._SSL, Code.SASL_AUTHENTICATION_FAILED)  # noqa: SLF001 librdkafka's own names
_IN_HANDSHAKE = "SSL_HANDSHAKE"  # a certificate that does not fit is told now as _SSL, now as a connection that broke
_NEWS_OF_MANY = Code._ALL_BROKERS_DOWN  # noqa: SLF001 librdkafka's own name


def is_refusal(error: Code) -> bool:
    """Whether Kafka, or our side, has refused the connection, rather than not being there."""
    return error.code() in _REFUSED


class Complaints:
    """The last errors of one client; `take` is its error callback."""

    def __init__(self, settings: Settings) -> None:
        self._servers = settings["bootstrap.servers"]
        self._user = settings.get("sasl.username")
        self._last: dict[str, Code] = {}  # by broker: one that is away says nothing of whether another lets us in

    def take(self, error: Code) -> None:
        """Remember the cause; that all brokers are down is none."""
        if error.code() in (_NEWS_OF_MANY, Code.GROUP_AUTHORIZATION_FAILED):
            return
        broker = _broker(error)
        known = self._last.get(broker)
        if known is None or not is_refusal(known) or _IN_HANDSHAKE not in error.str():
            self._last[broker] = error

    def answered(self) -> None:
        """A broker has answered: whatever there was is over."""
        self._last.clear()

    @property
    def refused(self) -> bool:
        """Whether Kafka, or our side, has refused the connection: no later answer is to be waited for."""
        return self._refusal() is not None

    def explain(self, question: str, answer: Code) -> KafkaAway:
        """Why a question got no answer; AccessRefused where waiting longer would not help."""
        refusal = self._refusal()
        if refusal is None:
            why = next(reversed(self._last.values()), answer).str()
            return KafkaAway(f"no answer from Kafka at {self._servers} about {question}: {why}")
        if refusal.code() == Code._SSL:  # noqa: SLF001 librdkafka's own name
            why = "no TLS connection: the broker's certificate does not fit the CA or the address, or it speaks no TLS"
            return AccessRefused(f"Kafka at {self._servers}, asked about {question}: {why} ({refusal.str()})")
        why = f"the password of user {self._user} was refused: it is wrong, or the user has been revoked"
        return PasswordRefused(f"Kafka at {self._servers}, asked about {question}: {why} ({refusal.str()})")

    def _refusal(self) -> Code | None:
        return next((error for error in self._last.values() if is_refusal(error)), None)


def _broker(error: Code) -> str:
    """Its address, which begins librdkafka's sentence: `sasl_ssl://host:port/bootstrap: ...`, or /1 later on."""
    return error.str().partition(": ")[0].rpartition("/")[0]
