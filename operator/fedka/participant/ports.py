"""What the participant's loop needs of Kafka. Tests put a log in memory behind it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fedka.kafka.errors import KafkaTrouble
from fedka.kafka.log_record import LogRecord
from fedka.kafka.writer import Outcome
from fedka.wire.chunks import Pointer
from fedka.wire.layout import Layout
from fedka.wire.records import Record

Event = LogRecord | KafkaTrouble
Chunks = Iterable[npt.NDArray[np.uint8]]


class Wire(Protocol):
    """This participant's side of one run's topics."""

    def check(self) -> None:
        """Raise TopicMissing, TopicRefused, AccessRefused or KafkaAway unless every topic can be used."""
        ...

    def read_journal(self) -> list[LogRecord]:
        """The journal to its end. Raises KafkaAway or TopicMissing."""
        ...

    def follow_journal(self, offset: int, deliver: Callable[[Event], None]) -> None:
        """From now on deliver what comes at or after `offset`, in a thread of its own; called once."""
        ...

    def say(self, record: Record) -> int:
        """Write into the own control partition and wait; the record's offset. Raises WriteFailed."""
        ...

    def say_soon(self, record: Record, done: Callable[[Outcome], None]) -> None:
        """Write into the own control partition; `done` is told in another thread. Raises WriteFailed."""
        ...

    def upload(self, chunks: Chunks, timeout_seconds: float) -> Pointer:
        """Upload chunks and wait until all are acknowledged. Raises WriteFailed, and what `chunks` raises."""
        ...

    def download(self, pointer: Pointer, layout: Layout) -> Iterator[tuple[int, bytes]]:
        """The chunks of a global model, verified, in any order. Raises a ChunksUnusable."""
        ...

    def close(self) -> None:
        """Let everything go; what was handed over is sent first."""
        ...
