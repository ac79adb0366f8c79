from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fedka.wire.layout import DTYPES, Layout, Tensor, tensor_spans

SHAPES = st.lists(st.integers(0, 40), max_size=4).map(tuple)
TENSORS = st.builds(Tensor, name=st.text("abc.", min_size=1, max_size=6), dtype=st.sampled_from(DTYPES), shape=SHAPES)
LAYOUTS = st.builds(
    Layout,
    tensors=st.lists(TENSORS, min_size=1, max_size=6).map(tuple),
    chunk_bytes=st.integers(1024, 4096).map(lambda n: n * 4),
)
PERCEPTRON = Layout(
    tensors=(
        Tensor(name="hidden.weight", dtype="float32", shape=(16, 30)),
        Tensor(name="hidden.bias", dtype="bfloat16", shape=(16,)),
        Tensor(name="batches", dtype="int64", shape=()),
    )
)


def elements(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


@given(LAYOUTS)
def test_tensor_spans_cover_the_space_without_gap_or_overlap(layout: Layout) -> None:
    spans = list(tensor_spans(layout.tensors))
    assert spans[0].start == 0
    assert spans[-1].stop == layout.coordinates
    assert all(before.stop == after.start for before, after in pairwise(spans))
    for tensor, span in zip(layout.tensors, spans, strict=True):
        floats = 2 if tensor.dtype.startswith("complex") else 1
        assert span.stop - span.start == elements(tensor.shape) * floats


@given(LAYOUTS)
def test_chunks_cover_the_space_and_only_the_last_is_short(layout: Layout) -> None:
    sizes = [layout.chunk_size(index) for index in range(layout.chunk_count)]
    assert sum(sizes) == layout.total_bytes == 4 * layout.coordinates
    assert all(size == layout.chunk_bytes for size in sizes[:-1])
    assert 0 < sizes[-1] <= layout.chunk_bytes or layout.total_bytes == 0


def test_a_model_without_coordinates_has_one_empty_chunk() -> None:
    layout = Layout(tensors=(Tensor(name="empty", dtype="float32", shape=(0, 3)),))
    assert (layout.chunk_count, layout.chunk_size(0)) == (1, 0)


def test_the_digest_is_what_it_always_was() -> None:
    """Another digest makes every participant of another version unfit: change it knowingly or not at all."""
    assert PERCEPTRON.model_dump_json(by_alias=True) == (
        '{"tensors":[{"name":"hidden.weight","dtype":"float32","shape":[16,30]},'
        '{"name":"hidden.bias","dtype":"bfloat16","shape":[16]},{"name":"batches","dtype":"int64","shape":[]}],'
        '"chunkBytes":983040}'
    )
    assert PERCEPTRON.digest() == "ebbc52d38b0957048f97dfdfff40356436c060369453acb295b5861d80fe1ed8"


@given(LAYOUTS, LAYOUTS)
def test_digests_are_equal_exactly_where_layouts_are(one: Layout, other: Layout) -> None:
    assert (one.digest() == other.digest()) == (one == other)


@given(LAYOUTS)
def test_a_layout_that_travelled_has_the_same_digest(layout: Layout) -> None:
    assert Layout.model_validate_json(layout.model_dump_json(by_alias=True)).digest() == layout.digest()


@pytest.mark.parametrize(
    "changed",
    [
        {"tensors": tuple(reversed(PERCEPTRON.tensors))},
        {"tensors": PERCEPTRON.tensors[:-1]},
        {"chunk_bytes": 491_520},
        {"tensors": (Tensor(name="hidden.weight", dtype="float32", shape=(30, 16)), *PERCEPTRON.tensors[1:])},
    ],
    ids=["order", "a tensor less", "chunk size", "shape"],
)
def test_what_does_not_fit_has_another_digest(changed: dict[str, object]) -> None:
    assert PERCEPTRON.model_copy(update=changed).digest() != PERCEPTRON.digest()


def test_a_layout_of_one_s_own_is_sane() -> None:
    assert PERCEPTRON.is_sane()


@pytest.mark.parametrize(
    "tensors",
    [
        [Tensor(name="a", dtype="float32", shape=(-1,))],
        [Tensor(name="a", dtype="float32", shape=(-2, -2))],
        [Tensor(name="a", dtype="float32", shape=(2,)), Tensor(name="a", dtype="float32", shape=(3,))],
        [Tensor(name="a", dtype="float32", shape=(0, 2**62))],
        [Tensor(name="a\x1b[2J", dtype="float32", shape=(2,))],
        [Tensor(name="__metadata__", dtype="float32", shape=(2,))],
    ],
    ids=[
        "negative",
        "two negatives whose product is positive",
        "a name twice",
        "no number",
        "an escape sequence",
        "reserved",
    ],
)
def test_a17_a_layout_that_describes_no_model_is_seen(tensors: list[Tensor]) -> None:
    assert not Layout(tensors=tuple(tensors)).is_sane()


def test_a17_the_size_of_the_largest_layout_can_be_said_in_a_message() -> None:
    """Python refuses to print an integer of more than 4300 digits: a hostile shape must not end the one who says no."""
    largest = Tensor(name="a", dtype="complex128", shape=(2**63 - 1,) * 16)
    assert str(Layout(tensors=(largest,) * 4).total_bytes).isdecimal()
    with pytest.raises(ValidationError):
        Tensor(name="a", dtype="float32", shape=(2**63,))


@pytest.mark.parametrize("chunk_bytes", [0, 4, 4095, 4098, 8 * 2**20 + 4, -4096])
def test_a_chunk_size_that_no_topic_takes_is_refused(chunk_bytes: int) -> None:
    with pytest.raises(ValidationError):
        Layout(tensors=PERCEPTRON.tensors, chunk_bytes=chunk_bytes)


@pytest.mark.parametrize("dtype", ["float8", "Float32", "object", "", "float32\n", "<f4"])
def test_a_dtype_that_is_not_on_the_list_is_refused(dtype: str) -> None:
    with pytest.raises(ValidationError):
        Tensor(name="a", dtype=dtype, shape=())
