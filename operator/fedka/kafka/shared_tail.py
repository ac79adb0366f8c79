"""Following the logs of many runs on few consumers.

A consumer has threads, connections and buffers of its own, so one for each of 200 live runs would cost more than what
it reads. Whoever follows a run for its status can wait the half second that a changed assignment costs; an aggregator
cannot, and has a `Tail`.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka import KafkaError as Code

from fedka.kafka.access import Settings, control_consumer_settings
from fedka.kafka.errors import KafkaTrouble
from fedka.kafka.log_record import BATCH, LogRecord, as_record, consumer_of, trouble_of
from fedka.kafka.log_view import SOON_SECONDS
from fedka.kafka.tail import PARTITIONS_PER_CONSUMER, WAKE_SECONDS


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads some topics from their first record on. Both callbacks come in a consumer's thread.

    After fatal trouble nothing more is delivered to this reader; the others go on.
    """

    topics: tuple[str, ...]
    deliver: Callable[[LogRecord], None]
    trouble: Callable[[KafkaTrouble], None]


class SharedTails:
    """Any number of readers on as few consumers as their topics need. Its methods may be called from any thread."""

    def __init__(self, settings: Settings, *, name: str) -> None:
        self._settings = settings
        self._name = name
        self._lock = threading.Lock()
        self._tails: list[_SharedTail] = []
        self._where: dict[str, _SharedTail] = {}
        self._made = 0

    def follow(self, reader: Reader) -> None:
        """Deliver all that partition 0 of these topics holds and will hold. None of them is followed yet."""
        with self._lock:
            tail = next((tail for tail in self._tails if tail.has_room(reader.topics)), None) or self._new()
            self._where.update(dict.fromkeys(reader.topics, tail))
            tail.add(reader)

    def unfollow(self, topics: Sequence[str]) -> None:
        """Deliver nothing more of these topics, soon. A consumer that nobody needs is closed."""
        with self._lock:
            concerned = {tail for topic in topics if (tail := self._where.pop(topic, None)) is not None}
            for tail in concerned:
                tail.drop(topics)
                if not tail.busy:
                    tail.stop()
                    self._tails.remove(tail)

    def close(self) -> None:
        """Stop all, and wait for their threads."""
        with self._lock:
            tails, self._tails = self._tails, []
            self._where.clear()
        for tail in tails:
            tail.stop()
        for tail in tails:
            tail.join()

    @property
    def consumers(self) -> int:
        """How many there are."""
        with self._lock:
            return len(self._tails)

    def _new(self) -> "_SharedTail":
        self._made += 1
        tail = _SharedTail({**self._settings, "client.id": f"{self._name}-{self._made}"})
        self._tails.append(tail)
        return tail


class _SharedTail:
    """One consumer, and its thread, which alone touches it. What it had once it is never given again: a record that was
    on its way when a topic was dropped would come before the first one of the new reading.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings: Settings = control_consumer_settings(settings)
        self._had: set[str] = set()
        self._followed: dict[str, Reader] = {}
        self._changes: deque[Callable[[Consumer], None]] = deque()
        self._readers: dict[str, Reader] = {}  # by topic; the thread's own
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"tail-{settings['client.id']}", daemon=True)

    @property
    def busy(self) -> bool:
        return bool(self._followed)

    def has_room(self, topics: Sequence[str]) -> bool:
        room = len(self._followed) + len(topics) <= PARTITIONS_PER_CONSUMER
        return room and self._had.isdisjoint(topics) and not self._ended.is_set()

    def add(self, reader: Reader) -> None:
        self._had.update(reader.topics)
        self._followed.update(dict.fromkeys(reader.topics, reader))
        self._changes.append(lambda consumer: self._assign(consumer, reader))
        if self._thread.ident is None:
            self._thread.start()
        elif self._ended.is_set():  # between the question whether there is room and now
            reader.trouble(KafkaTrouble("a reader of Kafka has ended", fatal=True))

    def drop(self, topics: Sequence[str]) -> None:
        ours = [topic for topic in topics if self._followed.pop(topic, None) is not None]
        self._changes.append(lambda consumer: self._unassign(consumer, ours))

    def stop(self) -> None:
        self._stopping.set()

    def join(self) -> None:
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 whoever waits for records must learn that none will come
            self._ended.set()
            self._tell(dict(self._followed), KafkaTrouble(f"a reader of Kafka ended: {error!r}", fatal=True))

    def _follow(self) -> None:
        consumer = consumer_of(self._settings, on_error=self._on_client_error)
        try:
            while not self._stopping.is_set():
                while self._changes:
                    self._changes.popleft()(consumer)
                for message in consumer.consume(1, WAKE_SECONDS) + consumer.consume(BATCH, 0):
                    self._take(consumer, message)
        finally:
            consumer.close()

    def _assign(self, consumer: Consumer, reader: Reader) -> None:
        self._readers.update(dict.fromkeys(reader.topics, reader))
        with contextlib.suppress(KafkaException):  # Kafka is away: then the assignment waits for it
            for topic in reader.topics:  # an unknown topic would stall its first assignment for 0.9 s
                consumer.list_topics(topic, timeout=SOON_SECONDS)
        consumer.incremental_assign([TopicPartition(topic, 0, 0) for topic in reader.topics])

    def _unassign(self, consumer: Consumer, topics: Sequence[str]) -> None:
        still = [topic for topic in topics if self._readers.pop(topic, None) is not None]
        if still:
            consumer.incremental_unassign([TopicPartition(topic, 0) for topic in still])

    def _take(self, consumer: Consumer, message: Message) -> None:
        reader, error = self._readers.get(message.topic() or ""), message.error()
        if error is None:
            if reader is not None:
                reader.deliver(as_record(message))
            return
        if error.code() == Code.GROUP_AUTHORIZATION_FAILED:  # librdkafka looks for a coordinator that nobody needs
            return
        trouble = trouble_of(message, error)
        if reader is None:
            self._tell(self._readers if not message.topic() else {}, trouble)
            return
        if trouble.fatal:
            self._unassign(consumer, reader.topics)
        reader.trouble(trouble)

    def _on_client_error(self, error: Code) -> None:
        if error.code() != Code.GROUP_AUTHORIZATION_FAILED:
            self._tell(self._readers, KafkaTrouble(error.str()))

    @staticmethod
    def _tell(readers: Mapping[str, Reader], trouble: KafkaTrouble) -> None:
        for reader in {id(reader): reader for reader in readers.values()}.values():
            reader.trouble(trouble)
