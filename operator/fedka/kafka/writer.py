"""Small records out, in order, with their acknowledgements seen at once.

One request in flight: order survives a lost connection. A broker that refuses a request for the moment only, as that of
a topic which has just been made, may let the next one overtake it: who needs the order of a topic's first records waits
for the first of them, and in the journal the chain shows what is out of order. A thread of its own serves
acknowledgements, because a callback that waits for the next write would show them one record late.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaException, Message
from confluent_kafka import KafkaError as Code

from fedka.kafka.access import Settings, record_producer_settings
from fedka.kafka.errors import KafkaTrouble, WriteFailed
from fedka.kafka.producers import LOGGER, producer_of
from fedka.kafka.refusals import failure_of

WAKE_SECONDS = 0.25  # how soon the thread notices that it is to close; acknowledgements wake it at once


@dataclass(frozen=True, slots=True)
class Written:
    """Where a record landed, and its time in milliseconds; `by_broker`: the broker's (LogAppendTime), not ours."""

    offset: int
    time_ms: int
    by_broker: bool = True


Outcome = Written | WriteFailed


def log_trouble(trouble: KafkaTrouble) -> None:
    """For a writer whose owner has no other way to hear of it."""
    LOGGER.error("%s", trouble.message)


class RecordWriter:
    """Writes control records; `done` is called in the writer's thread.

    `trouble` is told, also there, where a `done` has failed: who waited for that record has not learned of it.
    """

    def __init__(self, settings: Settings, *, name: str, trouble: Callable[[KafkaTrouble], None] = log_trouble) -> None:
        self._trouble = trouble
        self._producer = producer_of({**record_producer_settings(settings), "client.id": name})
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"writer-{name}", daemon=True)
        self._thread.start()

    def write(self, topic: str, partition: int, data: bytes, done: Callable[[Outcome], None] | None = None) -> None:
        """Hand a record over; it is sent at once, after those before it."""

        def delivered(error: Code | None, message: Message) -> None:
            if done is None:
                if error is not None:
                    LOGGER.warning("a record for %s was not acknowledged: %s", topic, error.str())
            elif error is not None:
                done(failure_of(error)(f"a record for {topic} was not acknowledged: {error.str()}"))
            else:
                kind, time_ms = message.timestamp()
                done(Written(message.offset() or 0, time_ms, by_broker=kind == TIMESTAMP_LOG_APPEND_TIME))

        try:
            self._producer.produce(topic, data, partition=partition, on_delivery=delivered)
        except KafkaException as error:
            answer: Code = error.args[0]
            raise failure_of(answer)(f"a record for {topic} could not be handed over: {answer.str()}") from None
        except BufferError as error:
            raise WriteFailed(f"a record for {topic} could not be handed over: {error}") from None

    def write_now(self, topic: str, partition: int, data: bytes) -> Written:
        """Write and wait for the acknowledgement. Raises WriteFailed."""
        arrived = threading.Event()
        outcomes: list[Outcome] = []

        def done(outcome: Outcome) -> None:
            outcomes.append(outcome)
            arrived.set()

        self.write(topic, partition, data, done)
        arrived.wait()  # ends: librdkafka answers every record within message.timeout.ms
        outcome = outcomes[0]
        if isinstance(outcome, WriteFailed):
            raise outcome
        return outcome

    def flush(self, seconds: float) -> bool:
        """Wait for outstanding acknowledgements; whether all came."""
        return self._producer.flush(seconds) == 0

    def close(self, *, seconds: float = 5.0) -> None:
        """Wait for what is outstanding, at most `seconds`, and end."""
        try:
            self.flush(seconds)
        finally:
            self._closing.set()
            if threading.current_thread() is not self._thread:
                self._thread.join()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                self._producer.poll(WAKE_SECONDS)
            except Exception as error:  # noqa: BLE001  of a `done`: the others still wait to be told
                self._trouble(KafkaTrouble(f"the answer to a record could not be taken in: {error!r}", fatal=True))
