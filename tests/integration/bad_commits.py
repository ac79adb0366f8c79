"""Commits that must not count, each with the reason for which it is rejected."""

import secrets
from collections.abc import Callable, Sequence

import numpy as np
from confluent_kafka import Producer

from fedka.wire.chunks import ChunkHeaders, Pointer, chunk_digest, root_digest
from fedka.wire.names import BULK_PARTITION
from fedka.wire.records import Commit, RejectReason, RoundOpened

from .scripted import Participant
from .vectors import Vector, chunks_of, delta_of

Bad = Callable[[Participant, RoundOpened, Commit], Commit]


def changed(**changes: object) -> Bad:
    """The commit with other members."""
    return lambda _who, _opened, commit: commit.model_copy(update=changes)


def pointing(change: Callable[[list[int]], Sequence[int]]) -> Bad:
    """The commit with other offsets."""

    def bad(_who: Participant, _opened: RoundOpened, commit: Commit) -> Commit:
        was = commit.update
        update = Pointer.of(upload=was.upload_id, offsets=change(was.offsets()), digest=was.digest)
        return commit.model_copy(update={"update": update})

    return bad


def naming(**changes: object) -> Bad:
    """The commit with another upload id or root digest."""

    def bad(_who: Participant, _opened: RoundOpened, commit: Commit) -> Commit:
        return commit.model_copy(update={"update": commit.update.model_copy(update=changes)})

    return bad


def uploading(change: Callable[[Vector], None]) -> Bad:
    """A sound upload of bad values."""

    def bad(who: Participant, opened: RoundOpened, commit: Commit) -> Commit:
        assert opened.base is not None
        vector = delta_of(who.name, opened.round, who.download(opened.base.pointer))
        change(vector)
        return commit.model_copy(update={"update": who.upload(vector)})

    return bad


def sending(change: Callable[[int, bytes, ChunkHeaders], tuple[bytes, ChunkHeaders | None]]) -> Bad:
    """An upload whose records are not what they should be; the commit's root digest is that of the right ones."""

    def bad(who: Participant, opened: RoundOpened, commit: Commit) -> Commit:
        vector = np.zeros(who.rig.layout.coordinates, dtype=np.float32)
        upload, offsets = secrets.token_bytes(16), {}
        chunks = [chunk.tobytes() for chunk in chunks_of(vector, who.rig.layout)]
        producer = Producer({"bootstrap.servers": who.rig.settings["bootstrap.servers"]})
        for index, data in enumerate(chunks):
            sent, headers = change(index, data, ChunkHeaders(upload, index, chunk_digest(data)))

            def landed(_error: object, message: object, index: int = index) -> None:
                offsets[index] = message.offset()  # type: ignore[attr-defined]

            encoded = headers.encode() if headers else []
            producer.produce(who.topic, sent, partition=BULK_PARTITION, headers=encoded, on_delivery=landed)
        producer.flush()
        root = root_digest(chunk_digest(data) for data in chunks)
        update = Pointer.of(upload=upload, offsets=[offsets[i] for i in range(len(chunks))], digest=root)
        return commit.model_copy(update={"update": update})

    return bad


def value(position: int, number: float) -> Bad:
    """An update with one bad value."""

    def change(vector: Vector) -> None:
        vector[position] = number

    return uploading(change)


def flipped(data: bytes) -> bytes:
    """With one bit that is another, somewhere in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


LAST = 4  # the index of the last of five chunks
BAD: dict[str, tuple[Bad, RejectReason]] = {
    "another base model": (changed(base="0" * 64), RejectReason.WRONG_BASE),
    "no base model": (changed(base=None), RejectReason.WRONG_BASE),
    "another layout": (changed(layout="0" * 64), RejectReason.WRONG_LAYOUT),
    "a chunk too few": (pointing(lambda o: o[:-1]), RejectReason.WRONG_SIZE),
    "a chunk too many": (pointing(lambda o: [*o, o[-1] + 1]), RejectReason.WRONG_SIZE),
    "offsets beyond the end": (pointing(lambda o: [offset + 5000 for offset in o]), RejectReason.BAD_OFFSETS),
    "the last offset beyond the end": (pointing(lambda o: [*o[:-1], o[-1] + 50]), RejectReason.BAD_OFFSETS),
    "repeated offsets": (pointing(lambda o: [*o[:-1], o[0]]), RejectReason.BAD_OFFSETS),
    "offsets far apart": (pointing(lambda o: [*o[:-1], o[0] + 1000]), RejectReason.BAD_OFFSETS),
    "negative offsets": (pointing(lambda o: [-1, *o[1:]]), RejectReason.BAD_OFFSETS),
    "offsets without bound": (pointing(lambda o: [offset + 2**62 for offset in o]), RejectReason.BAD_OFFSETS),
    "swapped chunks": (pointing(lambda o: [o[1], o[0], *o[2:]]), RejectReason.BAD_DIGEST),
    "another upload's id": (naming(upload="0" * 32), RejectReason.BAD_DIGEST),
    "another root digest": (naming(digest="0" * 64), RejectReason.BAD_DIGEST),
    "a short chunk": (
        sending(lambda i, d, h: (d[:-4], ChunkHeaders(h.upload, i, chunk_digest(d[:-4]))) if i == LAST else (d, h)),
        RejectReason.BAD_DIGEST,
    ),
    "a long chunk": (
        sending(lambda i, d, h: (d + d, ChunkHeaders(h.upload, i, chunk_digest(d + d))) if i == 1 else (d, h)),
        RejectReason.BAD_DIGEST,
    ),
    "a chunk with another's digest": (
        sending(lambda i, d, h: (d, ChunkHeaders(h.upload, i, bytes(32))) if i == LAST else (d, h)),
        RejectReason.BAD_DIGEST,
    ),
    "a record that is no chunk": (
        sending(lambda i, d, h: (d, None) if i == 2 else (d, h)),
        RejectReason.BAD_DIGEST,
    ),
    "a chunk with a flipped bit under its right digest": (
        sending(lambda i, d, h: (flipped(d), h) if i == 2 else (d, h)),
        RejectReason.BAD_DIGEST,
    ),
    "a chunk once more in place of the next": (  # whose bytes are the same, so that the root digest fits
        sending(lambda i, d, h: (d, ChunkHeaders(h.upload, 1, h.digest)) if i == 2 else (d, h)),
        RejectReason.BAD_DIGEST,
    ),
    "an empty record": (sending(lambda i, d, h: (b"", h) if i == 2 else (d, h)), RejectReason.BAD_DIGEST),
    "NaN": (value(0, np.nan), RejectReason.OUT_OF_RANGE),
    "NaN at the end": (value(19_999, np.nan), RejectReason.OUT_OF_RANGE),
    "infinity": (value(10_000, -np.inf), RejectReason.OUT_OF_RANGE),
    "a value of 2^14": (value(10_000, 2.0**14), RejectReason.OUT_OF_RANGE),
}
