"""The participant's wire on Kafka: consumers for journal and models, producers for words and for chunks."""

from collections.abc import Callable, Iterator
from pathlib import Path

from fedka.kafka.access import client_settings
from fedka.kafka.chunks import ChunkWriter
from fedka.kafka.log_record import LogRecord, Start
from fedka.kafka.log_view import LogView
from fedka.kafka.ranges import RangeReader
from fedka.kafka.tail import Tail
from fedka.kafka.writer import Outcome, RecordWriter
from fedka.participant.ports import Chunks, Event
from fedka.wire.bundle import Bundle
from fedka.wire.chunks import UPLOAD_BYTES, Pointer
from fedka.wire.codec import encode
from fedka.wire.layout import Layout
from fedka.wire.names import BULK_PARTITION, CONTROL_PARTITION
from fedka.wire.records import Name, Record


class KafkaWire:
    """A `Wire`. `random_bytes(n)` gives upload ids."""

    def __init__(
        self, bundle: Bundle, directory: Path, participant: Name, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._topics = bundle.topics
        self._own_topic = self._topics.update(participant)
        self._principal = bundle.kafka.username or f"participant {participant}"
        self._name = f"fedka-{bundle.run}-{participant}"
        self._random_bytes = random_bytes
        self._settings = client_settings(bundle.kafka, directory)
        self._view = LogView(self._settings, name=self._name)
        self._words = RecordWriter(self._settings, name=self._name)
        self._chunks = ChunkWriter(self._settings, name=self._name)
        self._models = RangeReader(self._settings, name=self._name)
        self._tail: Tail | None = None

    def check(self) -> None:
        """Raise TopicMissing, TopicRefused, AccessRefused or KafkaAway unless every topic can be used."""
        self._view.check_topics([self._topics.journal, self._topics.model, self._own_topic], self._principal)

    def read_journal(self) -> list[LogRecord]:
        """The journal to its end."""
        return self._view.read_to_end(self._topics.journal)

    def follow_journal(self, offset: int, deliver: Callable[[Event], None]) -> None:
        """Start to deliver what comes at or after `offset`."""
        start = Start(self._topics.journal, offset=offset)
        self._tail = Tail(self._settings, [start], deliver=deliver, trouble=deliver, name=self._name)
        self._tail.start()

    def say(self, record: Record) -> int:
        """Write a control record and wait for its offset."""
        return self._words.write_now(self._own_topic, CONTROL_PARTITION, encode(record)).offset

    def say_soon(self, record: Record, done: Callable[[Outcome], None]) -> None:
        """Write a control record without waiting."""
        self._words.write(self._own_topic, CONTROL_PARTITION, encode(record), done)

    def upload(self, chunks: Chunks, timeout_seconds: float) -> Pointer:
        """Upload chunks into the own bulk partition."""
        return self._chunks.upload(
            self._own_topic,
            BULK_PARTITION,
            chunks,
            upload=self._random_bytes(UPLOAD_BYTES),
            timeout_seconds=timeout_seconds,
        )

    def download(self, pointer: Pointer, layout: Layout) -> Iterator[tuple[int, bytes]]:
        """Read a global model's chunks."""
        return self._models.read(self._topics.model, 0, pointer, layout)

    def close(self) -> None:
        """Close all clients."""
        if self._tail is not None:
            self._tail.close()
        self._words.close()
        self._chunks.close()
        self._models.close()
        self._view.close()
