"""What readers of logs have in common: records, what errors in them mean, and how a consumer is made."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaException, Message
from confluent_kafka import KafkaError as Code

from fedka.kafka.access import Settings
from fedka.kafka.errors import KafkaTrouble
from fedka.kafka.refusals import unusable
from fedka.wire.records import MOST_RECORD_BYTES

LOGGER = logging.getLogger("fedka.kafka")
SILENT = LOGGER.getChild("librdkafka")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False
BATCH = 256

GONE = (Code._AUTO_OFFSET_RESET, Code.OFFSET_OUT_OF_RANGE)  # noqa: SLF001 librdkafka's own names
FATAL = {
    Code._AUTO_OFFSET_RESET: "a position in the log is gone: records that were needed have been deleted",  # noqa: SLF001 librdkafka's own names
    Code.OFFSET_OUT_OF_RANGE: "a position in the log is gone: records that were needed have been deleted",
    Code.TOPIC_AUTHORIZATION_FAILED: "Read on the topic is refused: check the principal's ACLs",
    Code._BAD_COMPRESSION: "a record cannot be decompressed",  # noqa: SLF001 librdkafka's own name
    Code._BAD_MSG: "a record is damaged",  # noqa: SLF001 librdkafka's own name
}
UNREADABLE = (Code._BAD_COMPRESSION, Code._BAD_MSG)  # noqa: SLF001 librdkafka's own names
"""Nothing behind such a record can be read: 3 KB of zstd that are 100 MB of zeros are enough, and Kafka takes them."""

_NOT_COPIED = bytes(MOST_RECORD_BYTES + 1)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record: where it lies, the broker's time of it (LogAppendTime, milliseconds), its bytes.

    Of one that is larger than any record of ours may be, zeros: no reader may have to hold it.
    """

    topic: str
    partition: int
    offset: int
    time_ms: int
    value: bytes | None
    by_broker: bool = True  # whether the time is the broker's (LogAppendTime) and not the writer's


@dataclass(frozen=True, slots=True)
class Start:
    """From where a partition is read."""

    topic: str
    partition: int = 0
    offset: int = 0


def trouble_of(message: Message, error: Code) -> KafkaTrouble:
    """What a message's error means to whoever reads there."""
    reason = FATAL.get(error.code())
    where = f"{message.topic()}[{message.partition()}]" if message.topic() else "Kafka"
    return KafkaTrouble(f"{where}: {reason or error.str()}", fatal=reason is not None)


def as_record(message: Message) -> LogRecord:
    """A message without an error, as a record of ours."""
    kind, time_ms = message.timestamp()
    return LogRecord(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        time_ms=time_ms,
        value=message.value() if len(message) <= MOST_RECORD_BYTES else _NOT_COPIED,
        by_broker=kind == TIMESTAMP_LOG_APPEND_TIME,
    )


def consumer_of(settings: Settings, on_error: Callable[[Code], None] | None = None) -> Consumer:
    """A consumer. With `on_error`, that is told what librdkafka's log would say again at every try to connect.

    Raises AccessRefused where the client cannot work with the settings.
    """
    try:
        if on_error is None:
            return Consumer(settings, logger=LOGGER)
        return Consumer({**settings, "error_cb": on_error}, logger=SILENT)
    except KafkaException as error:
        raise unusable(error) from None
