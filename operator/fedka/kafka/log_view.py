"""Short questions to Kafka: which topics exist, where logs begin and end, what is in them."""

import time
from collections.abc import Sequence

from confluent_kafka import KafkaError as Code
from confluent_kafka import KafkaException, Message, TopicPartition

from fedka.kafka.access import Settings, control_consumer_settings
from fedka.kafka.complaints import Complaints
from fedka.kafka.errors import KafkaAway, TopicMissing, TopicRefused
from fedka.kafka.log_record import BATCH, FATAL, GONE, UNREADABLE, LogRecord, as_record, consumer_of

ANSWER_SECONDS = 10.0
SOON_SECONDS = 2.0  # for what is wrong with a connection to show
FEW = 8
AGAIN_SECONDS = 0.1
TRIES = int(ANSWER_SECONDS / AGAIN_SECONDS)
_OF_SHORT_QUESTIONS: Settings = {
    "fetch.wait.max.ms": 10,  # nobody waits for what is still to be written
    "enable.partition.eof": True,  # an offset that a log does not have would be waited for
}
STARTING = (Code.NOT_LEADER_FOR_PARTITION, Code.LEADER_NOT_AVAILABLE)  # a broker answers before it leads its partitions


class LogView:
    """Short questions to Kafka on one consumer: which topics exist, where logs begin and end, what is in them."""

    def __init__(self, settings: Settings, *, name: str = "fedka-view", careful: bool = False) -> None:
        self._complaints = Complaints(settings)
        self._consumer = consumer_of(
            {**control_consumer_settings(settings, careful=careful), "client.id": name, **_OF_SHORT_QUESTIONS},
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
        self._consumer.poll(0)  # what it has complained of before is over as well
        self._complaints.answered()
        return problem

    def watermarks(self, topic: str, partition: int = 0) -> tuple[int, int]:
        """The first offset and the one after the last. Raises KafkaAway or TopicMissing."""
        place, problem = TopicPartition(topic, partition), ""
        for _ in range(TRIES):
            try:
                low, high = self._consumer.get_watermark_offsets(place, timeout=ANSWER_SECONDS, cached=False)
            except KafkaException as error:
                code, problem = error.args[0].code(), error.args[0].str()
                if code in (Code.UNKNOWN_TOPIC_OR_PART, Code._UNKNOWN_TOPIC, Code._UNKNOWN_PARTITION):  # noqa: SLF001 librdkafka's own names
                    raise TopicMissing(f"topic {topic} does not exist") from None
                if code not in STARTING:
                    break
                time.sleep(AGAIN_SECONDS)
            else:
                return low, high
        raise KafkaAway(f"no answer from Kafka about topic {topic}: {problem}")

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
        """The record at each (topic, partition, offset), all asked for at once; None where it is gone or unreadable.

        One place a partition at most.
        """
        found: dict[tuple[str, int], LogRecord | None] = {}
        wanted = {(topic, partition): offset for topic, partition, offset in places}
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
                    elif error.code() in (*GONE, *UNREADABLE) or place in found:
                        found.setdefault(place, None)
                    elif error.code() == Code._PARTITION_EOF:  # noqa: SLF001 librdkafka's own name
                        if (message.offset() or 0) > wanted[place] or self._ends_before(place, wanted[place]):
                            found[place] = None
                    elif error.code() in FATAL:
                        raise TopicRefused(f"topic {message.topic()}: {FATAL[error.code()]}")
                    elif error.code() != Code.GROUP_AUTHORIZATION_FAILED:
                        raise KafkaAway(f"topic {message.topic()}: {error.str()}")
        finally:
            self._consumer.unassign()
        return [_exact(found[topic, partition], offset) for topic, partition, offset in places]

    def _ends_before(self, place: tuple[str, int], offset: int) -> bool:
        """Asked for, as the fetches of a new leader may end too early for a moment."""
        _, high = self.watermarks(*place)
        return high <= offset

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
            elif error.code() == Code._PARTITION_EOF:  # noqa: SLF001 librdkafka's own name
                continue
            elif error.code() in FATAL:
                cause = TopicRefused if error.code() == Code.TOPIC_AUTHORIZATION_FAILED else TopicMissing
                raise cause(f"topic {topic}: {FATAL[error.code()]}")
            elif error.code() != Code.GROUP_AUTHORIZATION_FAILED:
                raise KafkaAway(f"topic {topic}: {error.str()}")
        return records


def _exact(record: LogRecord | None, offset: int) -> LogRecord | None:
    return record if record is not None and record.offset == offset else None
