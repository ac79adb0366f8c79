"""A run's topics in memory, behind the participant's port, with an aggregator played by the test.

Everything happens in the thread of the participant's loop: what it says is handed to the test's `react`, which writes
into the journal what an aggregator would.
"""

from collections.abc import Callable, Iterator
from itertools import count

import numpy as np
import numpy.typing as npt

from fedka.kafka.errors import ChunksGone, KafkaError, KafkaTrouble, WriteFailed
from fedka.kafka.log_record import LogRecord
from fedka.kafka.writer import Outcome, Written
from fedka.participant.ports import Chunks, Event
from fedka.wire import journal
from fedka.wire import records as r
from fedka.wire.chunks import Pointer, chunk_digest, root_digest
from fedka.wire.layout import Layout

ME = "north"


class MemoryWire:
    """A `Wire`; the lists hold what happened."""

    def __init__(self, react: Callable[["MemoryWire", r.Record, int], None]) -> None:
        self.react = react
        self.journal: list[LogRecord] = []
        self.said: list[r.Record] = []
        self.uploads: list[list[bytes]] = []
        self.downloads = 0
        self.models: dict[str, list[bytes]] = {}
        self.troubles: list[KafkaError] = []  # raised by the next checks, one each
        self.deaf = 0  # so many of the next words are not heard
        self.deafness = WriteFailed("the broker is away")
        self.gone: KafkaError = ChunksGone("chunks are no longer in the log")
        self.broken_uploads = 0
        self.after_upload: Callable[[], None] = lambda: None
        self._position = journal.JournalPosition()
        self._deliver: Callable[[Event], None] | None = None
        self._uploads = count(1)
        self.write(journal.start(self._position, r.AggregatorStarted(software="test")))

    def write(self, data: bytes) -> None:
        """Append bytes to the journal, whatever they are."""
        self._position, _ = journal.judge(self._position, data)
        record = LogRecord(topic="journal", partition=0, offset=len(self.journal), time_ms=0, value=data)
        self.journal.append(record)
        if self._deliver is not None:
            self._deliver(record)

    def tell(self, record: r.JournalRecord) -> None:
        """Append a record as the aggregator in charge."""
        _, data = journal.sign(self._position, record)
        self.write(data)

    def trouble(self, trouble: KafkaTrouble) -> None:
        assert self._deliver is not None
        self._deliver(trouble)

    def publish(self, number: int, model: npt.NDArray[np.float32], chunk_bytes: int) -> r.ModelRef:
        """Put a global model into the log."""
        data = model.astype("<f4").tobytes()
        chunks = [data[start : start + chunk_bytes] for start in range(0, len(data), chunk_bytes)]
        pointer = self._pointer(chunks)
        self.models[pointer.upload] = chunks
        return r.ModelRef(round=number, pointer=pointer)

    def heard(self, kind: type[r.Record]) -> list[r.Record]:
        return [record for record in self.said if isinstance(record, kind)]

    # --- the port ---

    def check(self) -> None:
        if self.troubles:
            raise self.troubles.pop(0)

    def read_journal(self) -> list[LogRecord]:
        return list(self.journal)

    def follow_journal(self, offset: int, deliver: Callable[[Event], None]) -> None:
        self._deliver = deliver
        for record in self.journal[offset:]:
            deliver(record)

    def say(self, record: r.Record) -> int:
        if self.deaf:
            self.deaf -= 1
            raise self.deafness
        self.said.append(record)
        offset = len(self.said) - 1
        self.react(self, record, offset)
        return offset

    def say_soon(self, record: r.Record, done: Callable[[Outcome], None]) -> None:
        self.said.append(record)
        done(Written(offset=len(self.said) - 1, time_ms=0))

    def upload(self, chunks: Chunks, timeout_seconds: float) -> Pointer:
        assert timeout_seconds > 0
        data = [chunk.tobytes() for chunk in chunks]
        if self.broken_uploads:
            self.broken_uploads -= 1
            raise WriteFailed("the broker is away")
        self.uploads.append(data)
        self.after_upload()
        return self._pointer(data)

    def download(self, pointer: Pointer, layout: Layout) -> Iterator[tuple[int, bytes]]:
        self.downloads += 1
        if pointer.upload not in self.models:
            raise self.gone
        for index, chunk in reversed(list(enumerate(self.models[pointer.upload]))):
            assert len(chunk) == layout.chunk_size(index)
            yield index, chunk

    def close(self) -> None:
        pass

    def _pointer(self, chunks: list[bytes]) -> Pointer:
        upload = next(self._uploads).to_bytes(16, "little")
        digest = root_digest(chunk_digest(chunk) for chunk in chunks)
        return Pointer.of(upload=upload, offsets=list(range(len(chunks))), digest=digest)


def opened(number: int, *, attempt: int = 1, base: r.ModelRef | None, who: tuple[str, ...] = (ME,)) -> r.RoundOpened:
    """An opening record; its nonce names round and attempt."""
    return r.RoundOpened(
        round=number,
        attempt=attempt,
        generation=1,
        revision=0,
        strategy=r.Strategy(),
        target=1,
        quorum=1,
        selected=tuple(r.Selected(participant=name, since=0, hello=0) for name in who),
        weight_scale=1,
        base=base,
        nonce=f"{number:016x}{attempt:016x}",
        deadline_seconds=60,
        count=3,
    )
