"""What a broker's answer to a write means: trying again may help, or it would be the same answer again."""

from confluent_kafka import KafkaError as Code

from fedka.kafka.errors import WriteFailed, WriteForbidden, WriteRefused

_REFUSALS = (Code.MSG_SIZE_TOO_LARGE, Code.POLICY_VIOLATION, Code.INVALID_RECORD)


def failure_of(answer: Code) -> type[WriteFailed]:
    """The class of failure that a write ended with."""
    if answer.code() == Code.TOPIC_AUTHORIZATION_FAILED:
        return WriteForbidden
    return WriteRefused if answer.code() in _REFUSALS else WriteFailed
