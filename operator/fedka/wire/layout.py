"""The layout: which tensors a model has and where each lies in the flat tensor space.

Every coordinate travels as a little-endian float32, whatever the tensor's dtype in the participant's framework: the
aggregator sees numbers and knows no framework. The adapter at the participant converts back by the dtype named here.
Both ends allocate from the layout alone, so its size is checked before anything else is done with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Annotated, Any, Self

from blake3 import blake3
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from fedka.wire.lines import is_name

DEFAULT_CHUNK_BYTES = 983_040  # 960 KiB: with headers below the 1 MiB that brokers and managed services take by default
BYTES_PER_COORDINATE = 4

MOST_TENSORS = 16_384
RESERVED_NAME = "__metadata__"  # a safetensors file keeps its own entry under it: a tensor of that name would be lost
DTYPES = (
    "float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool",
    "complex64", "complex128",
)  # fmt: skip


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


Dimension = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""Negative ones are left to `is_sane`; one of thousands of digits could not even be printed in the refusal."""


class Tensor(_Part):
    """One tensor: its name, its dtype in the participant's framework, its shape. Complex ones count two floats each."""

    name: str = Field(min_length=1, max_length=512)
    dtype: str = Field(pattern="^(" + "|".join(DTYPES) + ")$")
    shape: tuple[Dimension, ...] = Field(max_length=16, fail_fast=True)  # as of pointers: one fault is enough

    @property
    def coordinates(self) -> int:
        """How many float32 the tensor takes on the wire."""
        return prod(self.shape) * (2 if self.dtype.startswith("complex") else 1)


class Layout(_Part):
    """Ordered tensors and the chunk size in bytes; two models fit each other when their layouts' digests are equal."""

    tensors: tuple[Tensor, ...] = Field(min_length=1, max_length=MOST_TENSORS, fail_fast=True)
    chunk_bytes: int = Field(default=DEFAULT_CHUNK_BYTES, ge=4096, le=8 * 2**20, multiple_of=BYTES_PER_COORDINATE)

    @cached_property
    def coordinates(self) -> int:
        """Length of the flat tensor space, in float32 coordinates."""
        return sum(tensor.coordinates for tensor in self.tensors)

    @property
    def total_bytes(self) -> int:
        """Size of one model on the wire, in bytes."""
        return self.coordinates * BYTES_PER_COORDINATE

    @property
    def chunk_count(self) -> int:
        """Chunks of one model; the last one may be short."""
        return max(1, -(-self.total_bytes // self.chunk_bytes))

    def chunk_size(self, index: int) -> int:
        """Bytes of chunk `index`."""
        return min(self.chunk_bytes, self.total_bytes - index * self.chunk_bytes)

    def digest(self) -> str:
        """BLAKE3 of the canonical JSON, as 64 hex digits."""
        return self._digest

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy that does not take along what was computed from other fields."""
        copy = super().model_copy(update=update, deep=deep)
        for computed in ("coordinates", "_digest"):
            copy.__dict__.pop(computed, None)
        return copy

    @cached_property
    def _digest(self) -> str:
        return blake3(self.model_dump_json(by_alias=True).encode()).hexdigest()

    def is_sane(self) -> bool:
        """False for a layout that describes no model.

        Its names are distinct, can be shown and stored, no dimension is negative, and there is at least one number.
        """
        names = [tensor.name for tensor in self.tensors]
        sound = len(set(names)) == len(names) and all(is_name(name) and name != RESERVED_NAME for name in names)
        return sound and all(size >= 0 for tensor in self.tensors for size in tensor.shape) and self.coordinates > 0


@dataclass(frozen=True, slots=True)
class Span:
    """Coordinates `start:stop` of the flat tensor space."""

    start: int
    stop: int


def tensor_spans(tensors: Sequence[Tensor]) -> Iterator[Span]:
    """Where each tensor lies in the flat tensor space, in the layout's order."""
    start = 0
    for tensor in tensors:
        stop = start + tensor.coordinates
        yield Span(start, stop)
        start = stop
