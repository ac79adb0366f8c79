"""Headers, pointers and layouts: what stands beside the bytes and says how many there are."""

from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from fedka.aggregator.evidence import Contradiction
from fedka.aggregator.rules import check_pointer
from fedka.wire.chunks import MOST_CHUNKS, ChunkHeaders, Pointer, lie_close
from fedka.wire.layout import Layout, tensor_spans

from ..wire.stories import LAYOUT, model
from .mutation import VALUES, cases

UPLOAD, DIGEST = bytes(range(16)), bytes(range(32))
POINTERS = [
    Pointer.of(upload=UPLOAD, offsets=offsets, digest="a" * 64).model_dump_json(by_alias=True).encode()
    for offsets in ([0], [7, 8, 9], [2**40, 2**40 + 3, 2**40 + 1], list(range(100)))
]
LAYOUTS = [
    LAYOUT.model_dump_json(by_alias=True).encode(),
    Layout.model_validate(
        {
            "tensors": [
                {"name": f"t{number}", "dtype": dtype, "shape": [3] * number}
                for number, dtype in enumerate(["float32", "bfloat16", "complex64", "bool"])
            ],
            "chunkBytes": 4096,
        }
    )
    .model_dump_json(by_alias=True)
    .encode(),
]


def test_headers_are_a_chunks_or_none(count: int) -> None:
    wanted = ChunkHeaders(UPLOAD, 3, DIGEST)
    right: list[tuple[str, Any]] = list(wanted.encode())
    values = [*VALUES, b"", b"\0", UPLOAD, DIGEST, UPLOAD[:-1], DIGEST + b"\0", (3).to_bytes(4, "little"), bytes(5)]
    taken = 0
    for number in range(count):
        random = Random(f"headers {number}")  # noqa: S311  nothing here is a secret
        headers = right * random.choice([1, 1, 2])
        for _ in range(random.randint(1, 3)):
            at = random.randrange(len(headers))
            name = random.choice([headers[at][0], "u", "i", "d", "", "x"])
            headers[at] = (name, random.choice([headers[at][1], *values]))
        random.shuffle(headers)
        found = ChunkHeaders.decode(random.choice([headers, dict(headers), headers[: random.randrange(4)]]))
        if found is not None:
            taken += 1
            assert (len(found.upload), len(found.digest)) == (16, 32)
            assert 0 <= found.index < 2**32
    assert taken > count // 50
    assert ChunkHeaders.decode(None) is None


def test_a_pointer_names_offsets_or_is_refused(count: int) -> None:
    read = 0
    for seed, data in cases("pointers", count, POINTERS):
        try:
            pointer = Pointer.model_validate_json(data, strict=True)
        except ValidationError:
            continue
        read += 1
        offsets = pointer.offsets()
        assert 0 < len(offsets) <= MOST_CHUNKS, seed
        assert lie_close(offsets) in (True, False)
        try:
            check_pointer(pointer, LAYOUT)
        except Contradiction:
            continue
        assert len(offsets) == LAYOUT.chunk_count, seed
    assert read > count // 20
    check_pointer(model(1).pointer, LAYOUT)


def test_a_layout_says_how_large_a_model_is_without_anything_of_that_size(count: int) -> None:
    read = 0
    for seed, data in cases("layouts", count, LAYOUTS):
        try:
            layout = Layout.model_validate_json(data, strict=True)
        except ValidationError:
            continue
        read += 1
        assert len(layout.digest()) == 64
        if not layout.is_sane():
            continue
        assert layout.total_bytes == layout.coordinates * 4, seed
        assert (layout.chunk_count - 1) * layout.chunk_bytes <= layout.total_bytes, seed
        assert layout.chunk_size(layout.chunk_count - 1) <= layout.chunk_bytes, seed
        *_, last = tensor_spans(layout.tensors)
        assert last.stop == layout.coordinates, seed
    assert read > count // 20


@pytest.mark.parametrize("shape", [[2**62] * 16, [0, 2**62], [1] * 16])
def test_enormous_shapes_are_numbers_and_no_memory(shape: list[int]) -> None:
    layout = Layout.model_validate({"tensors": [{"name": "w", "dtype": "complex128", "shape": shape}]})
    assert layout.chunk_count >= 1
