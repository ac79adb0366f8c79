"""Chunks out: an upload of a model or an update, acknowledged as a whole."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

import numpy as np
import numpy.typing as npt
from confluent_kafka import KafkaError as Code
from confluent_kafka import KafkaException, Message

from fedka.kafka.access import Settings, bulk_producer_settings
from fedka.kafka.errors import WriteFailed
from fedka.kafka.producers import producer_of
from fedka.kafka.refusals import failure_of
from fedka.wire.chunks import ChunkHeaders, Pointer, chunk_digest, root_digest


@dataclass(frozen=True, slots=True)
class Stored:
    """A chunk that is in the log: its offset and digest."""

    offset: int
    digest: bytes


NOTHING: Mapping[int, Stored] = MappingProxyType({})


class ChunkWriter:
    """Uploads chunks; used by one thread at a time."""

    def __init__(self, settings: Settings, *, name: str) -> None:
        self._producer = producer_of({**bulk_producer_settings(settings), "client.id": name})

    def upload(
        self,
        topic: str,
        partition: int,
        chunks: Iterable[npt.NDArray[np.uint8]],
        *,
        upload: bytes,
        timeout_seconds: float = 120.0,
    ) -> Pointer:
        """Upload chunks in index order and wait until all are acknowledged; see `upload_indexed`."""
        return self.upload_indexed(topic, partition, enumerate(chunks), upload=upload, timeout_seconds=timeout_seconds)

    def upload_indexed(
        self,
        topic: str,
        partition: int,
        chunks: Iterable[tuple[int, npt.NDArray[np.uint8]]],
        *,
        upload: bytes,
        already: Mapping[int, Stored] = NOTHING,
        timeout_seconds: float = 120.0,
    ) -> Pointer:
        """Upload chunks with their indices, in any order, and wait until all are acknowledged.

        Each chunk is a C-contiguous uint8 array, shape (bytes,); it may be reused as soon as the next one is asked
        for. `upload` is 16 random bytes, new for each call, unless an earlier upload is to be completed: then
        `already` says what of it is in the log, by index, and chunks that fit are not sent again. Raises WriteFailed
        where not all were acknowledged within `timeout_seconds` after the last one was handed over, and WriteRefused
        where the broker says no at once.
        """
        running = _Upload(topic, partition)
        digests: dict[int, bytes] = {}
        for index, chunk in chunks:
            digest = chunk_digest(chunk.data)
            digests[index] = digest
            stored = already.get(index)
            if stored is not None and stored.digest == digest:
                running.offsets[index] = stored.offset
                continue
            headers = ChunkHeaders(upload=upload, index=index, digest=digest).encode()
            self._produce(running, index, chunk, headers)
            self._producer.poll(0)
            if running.failure:
                break
        self._await(running, len(digests), timeout_seconds)
        if running.failure:
            self._producer.purge()
            self._producer.poll(0)
            raise running.failed(f"an upload of {len(digests)} chunks to {topic} failed: {running.failure}")
        offsets = [running.offsets[index] for index in range(len(digests))]
        root = root_digest(digests[index] for index in range(len(digests)))
        return Pointer.of(upload=upload, offsets=offsets, digest=root)

    def close(self) -> None:
        """Give up what is outstanding."""
        self._producer.purge()
        self._producer.flush(1.0)

    def _produce(
        self,
        running: "_Upload",
        index: int,
        chunk: npt.NDArray[np.uint8],
        headers: list[tuple[str, str | bytes | None]],
    ) -> None:
        def delivered(error: Code | None, message: Message) -> None:
            if error is not None:
                running.fail(error)
            else:
                running.offsets[index] = message.offset() or 0

        value = cast("bytes", chunk)  # the client takes any readable buffer and copies it once, into its queue
        while not running.failure:
            try:
                self._producer.produce(
                    running.topic, value, partition=running.partition, headers=headers, on_delivery=delivered
                )
            except BufferError:  # the queue is bounded; an acknowledgement makes room
                self._producer.poll(1.0)
            except KafkaException as error:
                running.fail(error.args[0])
            else:
                return

    def _await(self, running: "_Upload", count: int, seconds: float) -> None:
        end = time.monotonic() + seconds
        while len(running.offsets) < count and not running.failure:
            self._producer.poll(0.25)
            if time.monotonic() > end:
                running.failure = f"{count - len(running.offsets)} chunks were not acknowledged within {seconds:.0f} s"


@dataclass(slots=True)
class _Upload:
    topic: str
    partition: int
    offsets: dict[int, int] = field(default_factory=dict)
    failure: str = ""
    failed: type[WriteFailed] = WriteFailed

    def fail(self, error: Code) -> None:
        """Remember the first failure: those of the purge come after it."""
        if not self.failure:
            self.failure, self.failed = error.str(), failure_of(error)
