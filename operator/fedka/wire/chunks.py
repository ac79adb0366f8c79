"""Chunks: how a flat tensor space travels in Kafka records, and the pointers that name them.

A chunk is a raw little-endian slice with its upload id, index and BLAKE3 digest in headers. A pointer lists the
offset of every chunk: requests in flight reorder and retries repeat, so "first offset and count" would name wrong
bytes. Its root digest covers the chunk digests in index order, which keeps control records small.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Annotated

from blake3 import blake3
from pydantic import BaseModel, ConfigDict, Field

UPLOAD_HEADER = "u"
INDEX_HEADER = "i"
DIGEST_HEADER = "d"
UPLOAD_BYTES = 16
DIGEST_BYTES = 32
MOST_CHUNKS = 65_536
NO_OFFSET = 2**63  # Kafka counts in 64 bits with a sign

Headers = Mapping[str, bytes | str | None] | Sequence[tuple[str, bytes | str | None]] | None

Hex16 = Field(pattern="^[0-9a-f]{32}$")
Hex32 = Field(pattern="^[0-9a-f]{64}$")
Delta = Annotated[int, Field(ge=-(2**63), lt=2**63)]  # what the difference of two offsets can be


def chunk_digest(data: bytes | memoryview) -> bytes:
    """BLAKE3 of one chunk, 32 bytes."""
    return blake3(data).digest()


def root_digest(chunk_digests: Iterable[bytes]) -> str:
    """BLAKE3 over the chunk digests in index order, as 64 hex digits: what is called a model's or update's digest."""
    root = blake3()
    for digest in chunk_digests:
        root.update(digest)
    return root.hexdigest()


@dataclass(frozen=True, slots=True)
class ChunkHeaders:
    """What stands beside a chunk's bytes: the upload it belongs to (16 bytes), its index, its digest (32 bytes)."""

    upload: bytes
    index: int
    digest: bytes

    def encode(self) -> list[tuple[str, str | bytes | None]]:
        """As Kafka record headers."""
        return [
            (UPLOAD_HEADER, self.upload),
            (INDEX_HEADER, self.index.to_bytes(4, "little")),
            (DIGEST_HEADER, self.digest),
        ]

    @classmethod
    def decode(cls, headers: Headers) -> "ChunkHeaders | None":
        """The headers of a record, or None where it is not a chunk of ours."""
        found: Mapping[str, bytes | str | None] = dict(headers or ())
        upload, index, digest = found.get(UPLOAD_HEADER), found.get(INDEX_HEADER), found.get(DIGEST_HEADER)
        if not (isinstance(upload, bytes) and isinstance(index, bytes) and isinstance(digest, bytes)):
            return None
        if len(upload) != UPLOAD_BYTES or len(index) != 4 or len(digest) != DIGEST_BYTES:  # noqa: PLR2004 four bytes
            return None
        return cls(upload=upload, index=int.from_bytes(index, "little"), digest=digest)


class Pointer(BaseModel):
    """Where a model or an update lies: upload id, offsets by chunk index (delta-coded), root digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    upload: str = Hex16
    deltas: tuple[Delta, ...] = Field(
        min_length=1,
        max_length=MOST_CHUNKS,
        alias="offsets",
        fail_fast=True,  # a stranger's record of nothing but faults would cost 40 MB, one description each
    )
    digest: str = Hex32

    @classmethod
    def of(cls, *, upload: bytes, offsets: Sequence[int], digest: str) -> "Pointer":
        """A pointer to chunks at these absolute offsets, by index."""
        deltas = [offsets[0], *(after - before for before, after in pairwise(offsets))]
        return cls.model_validate({"upload": upload.hex(), "offsets": deltas, "digest": digest})

    def offsets(self) -> list[int]:
        """Absolute offsets by chunk index."""
        return list(accumulate(self.deltas))

    def fault(self, chunks: int) -> str | None:
        """Why it cannot say where a model of so many chunks lies; None where it names a place for each."""
        offsets = self.offsets()
        if len(offsets) != chunks:
            return f"it names {len(offsets)} chunks, the layout has {chunks}"
        if len(set(offsets)) != chunks:
            return "its chunks' offsets repeat"
        if min(offsets) < 0 or max(offsets) >= NO_OFFSET:
            return "its chunks' offsets are none that a log can have"
        return None

    @property
    def upload_id(self) -> bytes:
        """The upload id as the chunks' headers carry it."""
        return bytes.fromhex(self.upload)


def lie_close(offsets: Sequence[int]) -> bool:
    """Whether offsets are close enough to be one upload's: the reader fetches all that lies between them."""
    return max(offsets) - min(offsets) < 2 * len(offsets) + 64
