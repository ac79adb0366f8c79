from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fedka.wire.chunks import ChunkHeaders, Pointer, chunk_digest, lie_close, root_digest

UPLOAD = bytes(range(16))
OFFSETS = st.lists(st.integers(0, 2**62), min_size=1, max_size=50, unique=True)


def test_the_digest_of_a_chunk_is_what_it_always_was() -> None:
    assert chunk_digest(b"fedka").hex() == "278964a3851219e12707ec1e4a3d0e463cd566c681d61902aa3f3913a7510145"


def test_the_digest_of_a_model_is_what_it_always_was() -> None:
    assert (
        root_digest([chunk_digest(b"fed"), chunk_digest(b"ka")])
        == "0bf689d9c69507705825744916dbc5a92f0eb5d10ff0b92daf969b582e5d2f30"
    )


@given(st.binary(max_size=200))
def test_a_digest_does_not_depend_on_how_the_bytes_are_held(data: bytes) -> None:
    assert chunk_digest(memoryview(data)) == chunk_digest(data)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=6, unique=True))
def test_the_root_digest_depends_on_the_order_of_the_chunks(digests: list[bytes]) -> None:
    assert root_digest(digests) != root_digest([digests[-1], *digests[:-1]])


@given(OFFSETS)
def test_a_pointer_gives_back_distinct_offsets_in_any_order(offsets: list[int]) -> None:
    pointer = Pointer.of(upload=UPLOAD, offsets=offsets, digest="0" * 64)
    again = Pointer.model_validate_json(pointer.model_dump_json(by_alias=True))
    assert again.offsets() == offsets
    assert again.upload_id == UPLOAD


def test_a6_a_pointer_names_each_chunk_where_requests_in_flight_were_reordered() -> None:
    """`M@0 chunk 1, M@1 chunk 0`: "first offset and count" names the wrong bytes for both."""
    landed = {1: 0, 0: 1}
    pointer = Pointer.of(upload=UPLOAD, offsets=[landed[index] for index in range(2)], digest="0" * 64)
    assert pointer.offsets() == [1, 0]


def test_a6_a_pointer_passes_over_duplicates_and_a_zombie_s_chunks_in_between() -> None:
    log = ["c0", "zombie", "c0 again", "c2", "c1", "zombie", "c3"]
    offsets = [log.index(f"c{index}") for index in range(4)]
    pointer = Pointer.of(upload=UPLOAD, offsets=offsets, digest="0" * 64)
    assert [log[offset] for offset in pointer.offsets()] == ["c0", "c1", "c2", "c3"]


def test_a_pointer_of_consecutive_chunks_is_small() -> None:
    pointer = Pointer.of(upload=UPLOAD, offsets=range(10**9, 10**9 + 17_477), digest="0" * 64)  # 16 GiB of 960 KiB
    assert len(pointer.model_dump_json(by_alias=True)) < 40_000


@pytest.mark.parametrize(
    "changed",
    [
        {"upload": "0" * 31},
        {"upload": "G" * 32},
        {"upload": "0" * 32 + "\n"},
        {"digest": "0" * 63},
        {"digest": "A" * 64},
        {"offsets": []},
        {"offsets": [0] * 65_537},
        {"offsets": [2**63]},
        {"offsets": [-(2**63) - 1]},
        {"offsets": [0.5]},
        {"count": 3},
    ],
    ids=lambda changed: f"{next(iter(changed))}",
)
def test_a_pointer_of_another_form_is_refused(changed: dict[str, object]) -> None:
    good: dict[str, object] = {"upload": "0" * 32, "offsets": [0], "digest": "0" * 64}
    Pointer.model_validate(good)
    with pytest.raises(ValidationError):
        Pointer.model_validate(good | changed)


def of_three(offsets: tuple[int, ...]) -> str | None:
    return Pointer.of(upload=UPLOAD, offsets=offsets, digest="0" * 64).fault(3)


def test_a_pointer_is_sound_where_each_chunk_has_a_place_of_its_own() -> None:
    for offsets in combinations_with_replacement([-1, 0, 1, 2, 2**62], 3):
        distinct = all(offsets.count(offset) == 1 for offset in offsets)
        assert (of_three(offsets) is None) is (distinct and min(offsets) >= 0)
    assert of_three((1, 2, 2**63 - 1)) is None
    assert of_three((1, 2, 2**63)) is not None, "no log has such an offset"


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_pointer_to_another_number_of_chunks_is_unsound(count: int) -> None:
    assert of_three(tuple(range(count))) == f"it names {count} chunks, the layout has 3"


@given(offsets=st.lists(st.integers(-2, 90), min_size=1, max_size=8))
def test_a16_closeness_equals_the_oracle(offsets: list[int]) -> None:
    near = all(abs(one - other) < 2 * len(offsets) + 64 for one in offsets for other in offsets)
    assert lie_close(offsets) is near


@pytest.mark.parametrize(("distance", "sane"), [(67, True), (68, False), (2**62, False)])
def test_a16_two_offsets_far_apart_are_not_read(distance: int, sane: bool) -> None:
    assert lie_close([7, 7 + distance]) is sane


@given(upload=st.binary(min_size=16, max_size=16), index=st.integers(0, 2**32 - 1), data=st.binary(max_size=50))
def test_headers_of_a_chunk_come_back(upload: bytes, index: int, data: bytes) -> None:
    headers = ChunkHeaders(upload=upload, index=index, digest=chunk_digest(data))
    assert ChunkHeaders.decode(headers.encode()) == headers


def test_headers_do_not_depend_on_order_or_on_strangers_between_them() -> None:
    headers = ChunkHeaders(upload=UPLOAD, index=258, digest=bytes(32))
    assert ChunkHeaders.decode([("traceparent", b"x"), *reversed(headers.encode()), ("z", None)]) == headers


def test_the_index_is_little_endian() -> None:
    assert dict(ChunkHeaders(upload=UPLOAD, index=258, digest=bytes(32)).encode())["i"] == b"\x02\x01\x00\x00"


RUBBISH = st.lists(
    st.tuples(
        st.sampled_from(["u", "i", "d", "x", ""]),
        st.none() | st.text(max_size=4) | st.binary(max_size=40) | st.sampled_from([bytes(4), bytes(16), bytes(32)]),
    ),
    max_size=6,
)


@given(RUBBISH)
def test_rubbish_in_headers_is_no_chunk(headers: list[tuple[str, bytes | str | None]]) -> None:
    values = dict(headers)
    ours = all(
        isinstance(value := values.get(name), bytes) and len(value) == size
        for name, size in (("u", 16), ("i", 4), ("d", 32))
    )
    assert (ChunkHeaders.decode(headers) is not None) == ours


@pytest.mark.parametrize("headers", [None, []])
def test_a_record_without_headers_is_no_chunk(headers: list[tuple[str, bytes]] | None) -> None:
    assert ChunkHeaders.decode(headers) is None
