"""Chunks in and out on a real broker."""

import secrets
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest

from fedka.kafka.access import Settings
from fedka.kafka.chunks import ChunkWriter, Stored
from fedka.kafka.errors import ChunkCorrupt, ChunksGone, KafkaError, NoSuchOffset, PointerUnsound
from fedka.kafka.ranges import Arrived, Finished, RangeReader
from fedka.local.kafka_server import KafkaServer
from fedka.wire.chunks import ChunkHeaders, Pointer, chunk_digest, root_digest
from fedka.wire.layout import Layout

from ..integration.vectors import layout_of
from .raw_producer import RawProducer

pytestmark = pytest.mark.kafka
SIZE = 4096
Chunk = npt.NDArray[np.uint8]


@pytest.fixture
def writer(settings: Settings) -> Iterator[ChunkWriter]:
    writer = ChunkWriter(settings, name="test")
    yield writer
    writer.close()


@pytest.fixture
def reader(settings: Settings) -> Iterator[RangeReader]:
    reader = RangeReader(settings, name="test")
    yield reader
    reader.close()


@pytest.fixture
def raw(kafka: KafkaServer) -> Iterator[RawProducer]:
    with RawProducer(kafka.bootstrap_servers) as producer:
        yield producer


def chunks(seed: int, count: int = 12) -> list[Chunk]:
    return list(np.random.default_rng(seed).integers(0, 256, size=(count, SIZE), dtype=np.uint8))


def upload(writer: ChunkWriter, topic: str, seed: int, count: int = 12) -> Pointer:
    return writer.upload(topic, 1, chunks(seed, count), upload=secrets.token_bytes(16))


def layout(count: int = 12) -> Layout:
    return layout_of(count * SIZE // 4, SIZE)


def read(reader: RangeReader, topic: str, pointer: Pointer) -> dict[int, bytes]:
    return dict(reader.read(topic, 1, pointer, layout(len(pointer.deltas))))


def finish(reader: RangeReader) -> dict[object, KafkaError | None]:
    """Poll to the end; how each range finished."""
    ends: dict[object, KafkaError | None] = {}
    while reader.busy:
        ends.update({e.key: e.failure for e in reader.poll() if isinstance(e, Finished)})
    return ends


def test_what_was_uploaded_is_read(writer: ChunkWriter, reader: RangeReader, topic: str) -> None:
    assert read(reader, topic, upload(writer, topic, 1)) == {i: c.tobytes() for i, c in enumerate(chunks(1))}


def test_chunks_of_others_in_between_are_passed_over(writer: ChunkWriter, reader: RangeReader, topic: str) -> None:
    first, _, last = (upload(writer, topic, seed, 2) for seed in (1, 2, 3))
    offsets = [first.offsets()[0], last.offsets()[1]]
    between = Pointer.of(upload=first.upload_id, offsets=offsets, digest=first.digest)
    with pytest.raises(ChunkCorrupt):
        read(reader, topic, between)
    assert read(reader, topic, last) == {i: c.tobytes() for i, c in enumerate(chunks(3, 2))}


def test_ranges_of_one_partition_follow_each_other(writer: ChunkWriter, reader: RangeReader, topic: str) -> None:
    pointers = {seed: upload(writer, topic, seed) for seed in range(5)}
    for seed, pointer in reversed(pointers.items()):
        reader.add(seed, topic, 1, pointer, layout())
    assert finish(reader) == dict.fromkeys(pointers)


def test_a_cancelled_range_is_not_heard_of_again(writer: ChunkWriter, reader: RangeReader, topic: str) -> None:
    kept, cancelled = upload(writer, topic, 1), upload(writer, topic, 2)
    reader.add("cancelled", topic, 1, cancelled, layout())
    reader.add("kept", topic, 1, kept, layout())
    while not any(isinstance(event, Arrived) for event in reader.poll()):
        pass
    reader.cancel("cancelled")
    assert finish(reader) == {"kept": None}


def test_chunks_that_retention_freed_are_gone(
    writer: ChunkWriter, reader: RangeReader, topic: str, free: Callable[[str, int, int], None]
) -> None:
    pointer = upload(writer, topic, 1)
    free(topic, 1, 3)
    with pytest.raises(ChunksGone):
        read(reader, topic, pointer)


@pytest.mark.parametrize("shift", [1, 100], ids=["the last one", "all"])
def test_offsets_that_the_log_has_not_reached_are_no_wait(
    writer: ChunkWriter, reader: RangeReader, topic: str, shift: int
) -> None:
    pointer = upload(writer, topic, 1)
    beyond = Pointer.of(upload=pointer.upload_id, offsets=[o + shift for o in pointer.offsets()], digest=pointer.digest)
    reader.add("beyond", topic, 1, beyond, layout())
    (failure,) = finish(reader).values()
    assert isinstance(failure, NoSuchOffset | ChunkCorrupt)
    assert isinstance(failure, NoSuchOffset) or shift == 1, "chunk 0 of the shifted ones is chunk 1"


def test_offsets_that_are_still_to_come_are_no_wait_whatever_else_comes(
    writer: ChunkWriter, reader: RangeReader, topic: str
) -> None:
    """A record at a time, each as soon as the one before it has been read: something new has always just come."""
    pointer = upload(writer, topic, 1)
    ahead = Pointer.of(
        upload=pointer.upload_id, offsets=[*pointer.offsets()[:-1], pointer.offsets()[-1] + 70], digest=pointer.digest
    )
    reader.add("ahead", topic, 1, ahead, layout())
    failures = []
    for drop in range(60):
        failures = [event.failure for event in reader.poll() if isinstance(event, Finished)]
        if failures:
            break
        upload(writer, topic, drop, 1)
    assert [type(failure) for failure in failures] == [NoSuchOffset]


def test_the_end_of_one_range_is_told_while_another_cannot_be_read(
    writer: ChunkWriter, reader: RangeReader, topic: str
) -> None:
    pointer = upload(writer, topic, 1)
    beyond = Pointer.of(
        upload=pointer.upload_id, offsets=[*pointer.offsets()[:-1], pointer.offsets()[-1] + 1], digest=pointer.digest
    )
    reader.add("beyond", topic, 1, beyond, layout())
    reader.add("away", f"{topic}.away", 1, pointer, layout())
    polls = (reader.poll() for _ in range(30))
    failures = next((ends for events in polls if (ends := [e.failure for e in events if isinstance(e, Finished)])), [])
    assert [type(failure) for failure in failures] == [NoSuchOffset]
    assert reader.busy, "the other waits for its topic"


def test_a_chunk_beside_a_header_whose_name_is_no_text_is_corrupt(
    raw: RawProducer, writer: ChunkWriter, reader: RangeReader, topic: str
) -> None:
    """Kafka takes any bytes for a header's name, and the client fails at what is not UTF-8: otherwise in code that the
    interpreter knows well than in code that it meets, so there are many chunks before it.
    """
    for seed in range(10):
        read(reader, topic, upload(writer, topic, seed))
    mark, (chunk,) = secrets.token_bytes(16), chunks(1, 1)
    digest = chunk_digest(chunk.data)
    sound = [(name.encode(), value) for name, value in ChunkHeaders(mark, 0, digest).encode()]
    raw.produce(topic, 1, chunk.tobytes(), [*sound, (b"\xff\xfe", b"")])
    pointer = Pointer.of(upload=mark, offsets=[120], digest=root_digest([digest]))
    with pytest.raises(ChunkCorrupt):
        read(reader, topic, pointer)
    assert len(list(reader.scan(topic, 1, 0))) == 120, "a scan passes over it"


@pytest.mark.parametrize(
    "change",
    [lambda o: [*o[:-1], o[0]], lambda o: [-1, *o[1:]], lambda o: o[:-1], lambda o: [*o, o[-1] + 1]],
    ids=["repeated", "negative", "too few", "too many"],
)
def test_a_pointer_that_cannot_be_one_to_a_model_is_not_read(
    writer: ChunkWriter, reader: RangeReader, topic: str, change: Callable[[list[int]], list[int]]
) -> None:
    pointer = upload(writer, topic, 1, 3)
    bad = Pointer.of(upload=pointer.upload_id, offsets=change(pointer.offsets()), digest=pointer.digest)
    with pytest.raises(PointerUnsound):
        dict(reader.read(topic, 1, bad, layout(3)))
    assert len(read(reader, topic, pointer)) == 3, "the next one is read"


def test_a_chunk_of_another_size_is_corrupt(writer: ChunkWriter, reader: RangeReader, topic: str) -> None:
    reader.add("short", topic, 1, upload(writer, topic, 1), layout_of(12 * (SIZE + 4) // 4, SIZE + 4))
    (failure,) = finish(reader).values()
    assert isinstance(failure, ChunkCorrupt)


def test_a_half_upload_is_completed_with_what_is_missing(writer: ChunkWriter, reader: RangeReader, topic: str) -> None:
    mark, parts = secrets.token_bytes(16), chunks(1)
    half = writer.upload(topic, 1, parts[:5], upload=mark)
    already = {i: Stored(o, chunk_digest(parts[i].data)) for i, o in enumerate(half.offsets())}
    already[4] = Stored(already[4].offset, bytes(32))
    whole = writer.upload_indexed(topic, 1, enumerate(parts), upload=mark, already=already)
    assert whole.offsets()[:4] == half.offsets()[:4]
    assert whole.offsets()[4] > max(half.offsets()), "what does not fit is sent again"
    assert read(reader, topic, whole) == {i: c.tobytes() for i, c in enumerate(parts)}


def test_a_scan_tells_what_lies_after_an_offset(writer: ChunkWriter, reader: RangeReader, topic: str) -> None:
    first, second = upload(writer, topic, 1), upload(writer, topic, 2, 3)
    found = list(reader.scan(topic, 1, max(first.offsets()) + 1))
    assert [(offset, headers.upload, headers.index) for offset, headers in found] == [
        (offset, second.upload_id, index) for index, offset in enumerate(second.offsets())
    ]
    assert list(reader.scan(topic, 1, max(second.offsets()) + 1)) == []
