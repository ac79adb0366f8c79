"""What is refused by a broker, or by the client itself: trying again may help, or it would be the same answer again."""

from confluent_kafka import KafkaError as Code
from confluent_kafka import KafkaException

from fedka.kafka.errors import AccessRefused, WriteFailed, WriteForbidden, WriteRefused

_REFUSALS = (Code.MSG_SIZE_TOO_LARGE, Code.POLICY_VIOLATION, Code.INVALID_RECORD)


def failure_of(answer: Code) -> type[WriteFailed]:
    """The class of failure that a write ended with."""
    if answer.code() == Code.TOPIC_AUTHORIZATION_FAILED:
        return WriteForbidden
    return WriteRefused if answer.code() in _REFUSALS else WriteFailed


def unusable(error: KafkaException) -> AccessRefused:
    """A client that cannot be made of its settings: a certificate that is none, or has gone."""
    return AccessRefused(f"Kafka's client refuses what it is to connect with: {error.args[0].str()}")
