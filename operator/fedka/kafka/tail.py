"""Following logs for life.

A tail's partitions are assigned once: changing the assignment during a long poll costs half a second, so whoever needs
more partitions starts another tail, and catching up is done by a consumer of its own (`log_view`).
"""

import threading
from collections.abc import Callable, Sequence

from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka import KafkaError as Code

from fedka.kafka.access import Settings, control_consumer_settings
from fedka.kafka.complaints import is_refusal
from fedka.kafka.errors import KafkaTrouble
from fedka.kafka.log_record import BATCH, UNREADABLE, LogRecord, Start, as_record, consumer_of, trouble_of

WAKE_SECONDS = 0.25  # how soon a tail notices that it is to close; records wake it at once
PARTITIONS_PER_CONSUMER = (
    100  # beyond it the tail of the latency grows from 2 to 300 ms: librdkafka names all in each fetch
)


class Tail:
    """Follows partitions for ever in a thread of its own.

    `deliver` is called there for each record, in the order of each partition; `trouble` for what goes wrong. A tail
    goes on by itself when a broker comes back; after fatal trouble it ends. `at_end`, where it is given, is told the
    topic, partition and next offset whenever everything there is has been delivered (an end may lie behind offsets that
    hold no record). `skips_gaps`: where records have been deleted it goes on with the first that is left. `unreadable`,
    where it is given, is told the topic and offset of a record that cannot be decompressed: that partition is left, and
    the others are followed on; without it, that is fatal trouble.
    """

    def __init__(
        self,
        settings: Settings,
        starts: Sequence[Start],
        *,
        deliver: Callable[[LogRecord], None],
        trouble: Callable[[KafkaTrouble], None],
        name: str,
        at_end: Callable[[str, int, int], None] | None = None,
        skips_gaps: bool = False,
        unreadable: Callable[[str, int], None] | None = None,
        careful: bool = False,
    ) -> None:
        self._deliver = deliver
        self._at_end = at_end
        self._trouble = trouble
        self._unreadable = unreadable
        self._left: set[tuple[str, int]] = set()
        self._closing = threading.Event()
        self._starts = starts
        self._settings: Settings = {
            **control_consumer_settings(settings, careful=careful),
            "client.id": name,
            "enable.partition.eof": at_end is not None,
            "auto.offset.reset": "earliest" if skips_gaps else "error",
        }
        self._thread = threading.Thread(target=self._run, name=f"tail-{name}", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def stop(self) -> None:
        """Deliver no more, soon; `close` waits for it."""
        self._closing.set()

    def close(self) -> None:
        """Stop and wait for the thread, unless called from it."""
        self.stop()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 whoever waits for records must learn that none will come
            self._trouble(KafkaTrouble(f"a reader of Kafka ended: {error!r}", fatal=True))

    def _follow(self) -> None:
        consumer = consumer_of(self._settings, on_error=self._on_client_error)
        try:
            consumer.assign([TopicPartition(start.topic, start.partition, start.offset) for start in self._starts])
            while not self._closing.is_set():
                for message in consumer.consume(1, WAKE_SECONDS):
                    if not self._take(message, consumer):
                        return
                for message in consumer.consume(BATCH, 0):
                    if not self._take(message, consumer):
                        return
        finally:
            consumer.close()

    def _take(self, message: Message, consumer: Consumer) -> bool:
        error = message.error()
        if error is None:
            self._deliver(as_record(message))
            return True
        if error.code() == Code.GROUP_AUTHORIZATION_FAILED:  # librdkafka looks for a coordinator that nobody needs
            return True
        if error.code() == Code._PARTITION_EOF:  # noqa: SLF001 librdkafka's own name
            if self._at_end is not None:
                self._at_end(message.topic() or "", message.partition() or 0, message.offset() or 0)
            return True
        if error.code() in UNREADABLE and self._unreadable is not None:
            self._leave(message, consumer, self._unreadable)
            return True
        trouble = trouble_of(message, error)
        self._trouble(trouble)
        return not trouble.fatal

    def _leave(self, message: Message, consumer: Consumer, unreadable: Callable[[str, int], None]) -> None:
        place = (message.topic() or "", message.partition() or 0)
        if place not in self._left:  # it is tried again until the pause is heeded
            self._left.add(place)
            consumer.pause([TopicPartition(*place)])
            unreadable(place[0], message.offset() or 0)

    def _on_client_error(self, error: Code) -> None:
        if error.code() != Code.GROUP_AUTHORIZATION_FAILED:
            self._trouble(KafkaTrouble(error.str(), refused=is_refusal(error)))


def tails(
    settings: Settings,
    starts: Sequence[Start],
    *,
    deliver: Callable[[LogRecord], None],
    trouble: Callable[[KafkaTrouble], None],
    name: str,
    at_end: Callable[[str, int, int], None] | None = None,
    skips_gaps: bool = False,
    unreadable: Callable[[str, int], None] | None = None,
    careful: bool = False,
) -> list[Tail]:
    """As many tails as the partitions need at PARTITIONS_PER_CONSUMER each; not started."""
    return [
        Tail(
            settings,
            starts[first : first + PARTITIONS_PER_CONSUMER],
            deliver=deliver,
            trouble=trouble,
            name=name,
            at_end=at_end,
            skips_gaps=skips_gaps,
            unreadable=unreadable,
            careful=careful,
        )
        for first in range(0, len(starts), PARTITIONS_PER_CONSUMER)
    ]
