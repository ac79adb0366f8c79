"""Publishes global models: the base is streamed back from the log while the new one is written, chunk by chunk."""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fedka.aggregator.events import Event, Published, PublishFailed
from fedka.aggregator.tasks import Copy, Publish
from fedka.kafka.access import Settings
from fedka.kafka.chunks import NOTHING, ChunkWriter, Stored
from fedka.kafka.errors import ChunksGone, ChunksUnusable, WriteFailed, WriteRefused
from fedka.kafka.ranges import RangeReader
from fedka.strategies.choose import step_of
from fedka.wire.chunks import UPLOAD_BYTES, Pointer
from fedka.wire.exact import ExactSum, as_coordinates
from fedka.wire.names import BULK_PARTITION, RunTopics

LOGGER = logging.getLogger("fedka.aggregator")

Chunks = Iterator[tuple[int, npt.NDArray[np.uint8]]]


def next_chunk(
    total: ExactSum, index: int, base: bytes, *, strategy: str, weights: int, scale: int
) -> npt.NDArray[np.uint8]:
    """Chunk `index` of the new model, from the sum and that chunk of the base; `weights`: the numerators' sum."""
    mean = total.mean(index, weights=weights, scale=scale)
    return step_of(strategy)(as_coordinates(base), mean).view(np.uint8)


@dataclass(frozen=True, slots=True)
class HalfPublished:
    """What is in the log of an upload to the model topic that its writer did not live to finish."""

    upload: bytes
    chunks: Mapping[int, Stored]

    @classmethod
    def none(cls) -> "HalfPublished":
        """A new upload."""
        return cls(secrets.token_bytes(UPLOAD_BYTES), NOTHING)


class Publisher:
    """Used in the data plane's thread, with its reader."""

    def __init__(
        self,
        *,
        settings: Settings,
        reader: RangeReader,
        topics: RunTopics,
        emit: Callable[[Event], None],
        at: Callable[[str], None],
    ) -> None:
        self._writer = ChunkWriter(settings, name="fedka-aggregator-model")
        self._reader = reader
        self._topics = topics
        self._emit = emit
        self._at = at

    def close(self) -> None:
        """Give up what is outstanding."""
        self._writer.close()

    def publish(self, task: Publish, total: ExactSum) -> None:
        """Write base + mean; what is in the log of an earlier try, ours or a predecessor's, is not written again."""

        def earlier() -> HalfPublished:
            return self._half_published(task.base)

        half = earlier() if task.resume else HalfPublished.none()
        self._upload(task, lambda: self._new_chunks(task, total), half, earlier)

    def copy(self, task: Copy) -> None:
        """Write the first model as it was given."""
        self._upload(task, lambda: self._copied_chunks(task), HalfPublished.none(), HalfPublished.none)

    def _upload(
        self,
        task: Publish | Copy,
        chunks: Callable[[], Chunks],
        half: HalfPublished,
        earlier: Callable[[], HalfPublished],
    ) -> None:
        while True:
            try:
                pointer = self._writer.upload_indexed(
                    self._topics.model, 0, chunks(), upload=half.upload, already=half.chunks
                )
            except WriteRefused:
                raise  # trying again at once would not help; a new start has its pause, and finds what was mended
            except WriteFailed as error:
                LOGGER.warning("publishing again: %s", error)
                half = earlier()
            except ChunksUnusable as error:  # of the base, or of the first model
                self._emit(PublishFailed(task.nonce, str(error)))
                return
            else:
                if (fault := pointer.fault(task.layout.chunk_count)) is not None:
                    raise AssertionError(f"the pointer to what was published is unsound: {fault}")
                self._emit(Published(task.nonce, pointer))
                return

    def _half_published(self, base: Pointer) -> HalfPublished:
        """The newest upload after the base: each kill while publishing would cost the space of a model otherwise."""
        uploads: dict[bytes, dict[int, Stored]] = {}
        try:
            for offset, headers in self._reader.scan(self._topics.model, 0, max(base.offsets()) + 1):
                uploads.setdefault(headers.upload, {})[headers.index] = Stored(offset, headers.digest)
        except ChunksGone:
            return HalfPublished.none()  # the base has gone with them, as its own reading will find
        if not uploads:
            return HalfPublished.none()
        upload, chunks = list(uploads.items())[-1]
        LOGGER.info("%d chunks of the new model are published already", len(chunks))
        return HalfPublished(upload, chunks)

    def _new_chunks(self, task: Publish, total: ExactSum) -> Chunks:
        for index, data in self._reader.read(self._topics.model, 0, task.base, task.layout):
            yield index, next_chunk(total, index, data, strategy=task.strategy, weights=task.weights, scale=task.scale)
            self._at("model half published")

    def _copied_chunks(self, task: Copy) -> Chunks:
        for index, data in self._reader.read(task.topic, BULK_PARTITION, task.pointer, task.layout):
            yield index, np.frombuffer(data, dtype=np.uint8)
            self._at("model half published")
