"""Following logs for life, and reading one to its end.

A tail's partitions are assigned once: changing the assignment during a long poll costs half a second, so whoever needs
more partitions starts another tail, and catching up is done by a consumer of its own.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaException, Message, TopicPartition
from confluent_kafka import KafkaError as Code

from fedka.kafka.access import Settings, control_consumer_settings
from fedka.kafka.complaints import Complaints
from fedka.kafka.errors import AccessRefused, KafkaAway, KafkaTrouble, TopicMissing, TopicRefused

LOGGER = logging.getLogger("fedka.kafka")
SILENT = LOGGER.getChild("librdkafka")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False
ANSWER_SECONDS = 10.0
SOON_SECONDS = 2.0  # for what is wrong with a connection to show
WAKE_SECONDS = 0.25  # how soon a tail notices that it is to close; records wake it at once
BATCH = 256
FEW = 8
PARTITIONS_PER_CONSUMER = (
    100  # beyond it the tail of the latency grows from 2 to 300 ms: librdkafka names all in each fetch
)

GONE = (Code._AUTO_OFFSET_RESET, Code.OFFSET_OUT_OF_RANGE)  # noqa: SLF001 librdkafka's own names
FATAL = {
    Code._AUTO_OFFSET_RESET: "a position in the log is gone: records that were needed have been deleted",  # noqa: SLF001 librdkafka's own names
    Code.OFFSET_OUT_OF_RANGE: "a position in the log is gone: records that were needed have been deleted",
    Code.TOPIC_AUTHORIZATION_FAILED: "Read on the topic is refused: check the principal's ACLs",
}


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record: where it lies, the broker's time of it (LogAppendTime, milliseconds), its bytes."""

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


class Tail:
    """Follows partitions for ever in a thread of its own.

    `deliver` is called there for each record, in the order of each partition; `trouble` for what goes wrong. A tail
    goes on by itself when a broker comes back; after fatal trouble it ends. `at_end`, where it is given, is told the
    topic, partition and next offset whenever everything there is has been delivered (an end may lie behind offsets that
    hold no record). `skips_gaps`: where records have been deleted it goes on with the first that is left.
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
    ) -> None:
        self._deliver = deliver
        self._at_end = at_end
        self._trouble = trouble
        self._closing = threading.Event()
        self._starts = starts
        self._settings: Settings = {
            **control_consumer_settings(settings),
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
        consumer = _consumer(self._settings, on_error=self._on_client_error)
        try:
            consumer.assign([TopicPartition(start.topic, start.partition, start.offset) for start in self._starts])
            while not self._closing.is_set():
                for message in consumer.consume(1, WAKE_SECONDS):
                    if not self._take(message):
                        return
                for message in consumer.consume(BATCH, 0):
                    if not self._take(message):
                        return
        finally:
            consumer.close()

    def _take(self, message: Message) -> bool:
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
        trouble = trouble_of(message, error)
        self._trouble(trouble)
        return not trouble.fatal

    def _on_client_error(self, error: Code) -> None:
        if error.code() != Code.GROUP_AUTHORIZATION_FAILED:
            self._trouble(KafkaTrouble(error.str()))


def tails(
    settings: Settings,
    starts: Sequence[Start],
    *,
    deliver: Callable[[LogRecord], None],
    trouble: Callable[[KafkaTrouble], None],
    name: str,
    at_end: Callable[[str, int, int], None] | None = None,
    skips_gaps: bool = False,
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
        )
        for first in range(0, len(starts), PARTITIONS_PER_CONSUMER)
    ]


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
        value=message.value(),
        by_broker=kind == TIMESTAMP_LOG_APPEND_TIME,
    )


def _consumer(settings: Settings, on_error: Callable[[Code], None] | None = None) -> Consumer:
    """With `on_error`, that is told what librdkafka's log would say again at every try to connect."""
    try:
        if on_error is None:
            return Consumer(settings, logger=LOGGER)
        return Consumer({**settings, "error_cb": on_error}, logger=SILENT)
    except KafkaException as error:
        raise AccessRefused(f"Kafka's client refuses what it is to connect with: {error.args[0].str()}") from None


class LogView:
    """Short questions to Kafka on one consumer: which topics exist, where logs begin and end, what is in them."""

    def __init__(self, settings: Settings, *, name: str = "fedka-view") -> None:
        self._complaints = Complaints(settings)
        self._consumer = _consumer(
            {**control_consumer_settings(settings), "client.id": name, "fetch.wait.max.ms": 10},
            on_error=self._complaints.take,
        )

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()

    def check_topics(self, topics: Sequence[str], principal: str) -> None:
        """Raise TopicMissing, TopicRefused, AccessRefused or KafkaAway: reading without Describe would be silent."""
        for topic in topics:
            problem = self._problem(topic)
            if problem is None:
                continue
            if problem.code() == Code.TOPIC_AUTHORIZATION_FAILED:
                raise TopicRefused(f"{principal} lacks Describe on topic {topic}: grant Read or Write on it")
            raise TopicMissing(f"topic {topic} does not exist: {problem.str()}")

    def _problem(self, topic: str) -> Code | None:
        """What Kafka has against a topic. A refused connection is tried for ever, so it is looked for soon."""
        try:
            return self._described(topic, SOON_SECONDS)
        except KafkaException as error:
            self._consumer.poll(0)  # what the client has complained of is told here
            if self._complaints.refused:
                raise self._complaints.explain(f"topic {topic}", error.args[0]) from None
        try:
            return self._described(topic, ANSWER_SECONDS)
        except KafkaException as error:
            self._consumer.poll(0)  # the same
            raise self._complaints.explain(f"topic {topic}", error.args[0]) from None

    def _described(self, topic: str, seconds: float) -> Code | None:
        problem: Code | None = self._consumer.list_topics(topic, timeout=seconds).topics[topic].error
        return problem

    def watermarks(self, topic: str, partition: int = 0) -> tuple[int, int]:
        """The first offset and the one after the last. Raises KafkaAway or TopicMissing."""
        try:
            low, high = self._consumer.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=ANSWER_SECONDS, cached=False
            )
        except KafkaException as error:
            code = error.args[0].code()
            if code in (Code.UNKNOWN_TOPIC_OR_PART, Code._UNKNOWN_TOPIC, Code._UNKNOWN_PARTITION):  # noqa: SLF001 librdkafka's own names
                raise TopicMissing(f"topic {topic} does not exist") from None
            raise KafkaAway(f"no answer from Kafka about topic {topic}: {error.args[0].str()}") from None
        return low, high

    def ends(self, partitions: Sequence[tuple[str, int]]) -> list[int]:
        """The offset after the last record of each partition, asked in one request a broker."""
        latest = -1  # ListOffsets' own word for "the end", in the place of a time
        asked = [TopicPartition(topic, partition, latest) for topic, partition in partitions]
        try:
            answers = self._consumer.offsets_for_times(asked, timeout=ANSWER_SECONDS)
        except KafkaException as error:
            raise KafkaAway(f"no answer from Kafka about the ends of logs: {error.args[0].str()}") from None
        for answer in answers:
            if answer.error is not None:
                raise KafkaAway(f"no answer from Kafka about the end of {answer.topic}: {answer.error.str()}")
        return [answer.offset for answer in answers]

    def read_to_end(self, topic: str, partition: int = 0, offset: int = 0) -> list[LogRecord]:
        """All records from `offset` to the end that the log had when asked."""
        _, high = self.watermarks(topic, partition)
        records: list[LogRecord] = []
        if offset >= high:
            return records
        self._consumer.assign([TopicPartition(topic, partition, offset)])
        try:
            while not records or records[-1].offset < high - 1:
                records.extend(self._more(topic))
        finally:
            self._consumer.unassign()
        return [record for record in records if record.offset < high]

    def read_each(self, places: Sequence[tuple[str, int, int]]) -> list[LogRecord | None]:
        """The record at each (topic, partition, offset), all asked for at once; None where it is gone.

        One place a partition at most.
        """
        found: dict[tuple[str, int], LogRecord | None] = {}
        if places:
            self._learn([topic for topic, _, _ in places])
            self._consumer.assign([TopicPartition(*place) for place in places])
        try:
            while len(found) < len(places):
                for message in self._consume("of several topics"):
                    place = (message.topic() or "", message.partition() or 0)
                    error = message.error()
                    if error is None:
                        found.setdefault(place, as_record(message))
                    elif error.code() in GONE:
                        found.setdefault(place, None)
                    elif error.code() in FATAL:
                        raise TopicRefused(f"topic {message.topic()}: {FATAL[error.code()]}")
                    elif error.code() != Code.GROUP_AUTHORIZATION_FAILED:
                        raise KafkaAway(f"topic {message.topic()}: {error.str()}")
        finally:
            self._consumer.unassign()
        return [_exact(found[topic, partition], offset) for topic, partition, offset in places]

    def _learn(self, topics: Sequence[str]) -> None:
        """An assignment of unknown topics would wait for a round of metadata: ask for them, or for all, at once."""
        try:
            for topic in topics if len(topics) <= FEW else [None]:
                self._consumer.list_topics(topic, timeout=ANSWER_SECONDS)
        except KafkaException as error:
            raise KafkaAway(f"no answer from Kafka about topics: {error.args[0].str()}") from None

    def _consume(self, what: str) -> list[Message]:
        messages = self._consumer.consume(1, ANSWER_SECONDS)
        if not messages:
            raise KafkaAway(f"no record {what} arrived within {ANSWER_SECONDS:.0f} s")
        return messages + self._consumer.consume(BATCH, 0)

    def _more(self, topic: str) -> list[LogRecord]:
        records = []
        for message in self._consume(f"of topic {topic}"):
            error = message.error()
            if error is None:
                records.append(as_record(message))
            elif error.code() in FATAL:
                raise TopicMissing(f"topic {topic}: {FATAL[error.code()]}")
            elif error.code() != Code.GROUP_AUTHORIZATION_FAILED:
                raise KafkaAway(f"topic {topic}: {error.str()}")
        return records


def _exact(record: LogRecord | None, offset: int) -> LogRecord | None:
    return record if record is not None and record.offset == offset else None
