"""The way of numbers to the wire and back, for every dtype that a layout may name."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fedka.participant import coordinates
from fedka.participant.adapters import numpy_arrays, torch_module
from fedka.participant.errors import ModelUnusable
from fedka.participant.layouts import layout_of
from fedka.wire.exact import as_coordinates
from fedka.wire.layout import DTYPES, Layout

NUMPY_DTYPES = [dtype for dtype in DTYPES if dtype != "bfloat16"]
INTEGERS = [dtype for dtype in DTYPES if "int" in dtype]
finite = st.floats(min_value=-1000, max_value=1000, width=32)
floats = arrays(np.float32, st.integers(1, 40), elements=finite)


def tensors_of(values: np.ndarray, dtype: str) -> list[numpy_arrays.NumpyTensor]:
    return list(numpy_arrays.flat_tensors({"x": values.astype(dtype)}))


def small(layout: Layout) -> Layout:
    """The same tensors in the smallest chunks, so that few numbers fill several."""
    return layout.model_copy(update={"chunk_bytes": 4096})


def sent(tensors, base: np.ndarray | None) -> np.ndarray:
    layout = small(layout_of([tensor.signature for tensor in tensors]))
    chunks = [chunk.tobytes() for chunk in coordinates.chunks(tensors, layout, base)]
    assert [len(chunk) for chunk in chunks] == [layout.chunk_size(i) for i in range(layout.chunk_count)]
    return as_coordinates(b"".join(chunks))


@pytest.mark.parametrize("dtype", NUMPY_DTYPES)
@given(base=floats)
def test_what_an_app_does_not_change_moves_by_exactly_zero(dtype, base):
    if dtype.startswith("complex"):
        base = np.repeat(base, 2)
    array = np.zeros(base.size // (2 if dtype.startswith("complex") else 1), dtype=dtype)
    tensors = numpy_arrays.flat_tensors({"x": array})
    coordinates.load(tensors, layout_of([tensor.signature for tensor in tensors]), base)
    assert not sent(tensors, base).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(base=floats, change=finite)
def test_an_update_is_the_difference(dtype, base, change):
    tensors = tensors_of(base.astype(dtype) + np.dtype(dtype).type(change), dtype)
    expected = (tensors[0].array - base.astype(dtype)).astype(np.float32)
    assert sent(tensors, base).tolist() == expected.tolist()


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_round_to_even_within_their_range(dtype):
    limits = np.iinfo(dtype)
    given = np.array([0.5, 1.5, 2.4, -0.6, 1e9, -1e9], dtype=np.float32)
    expected = np.clip([0, 2, 2, -1, 10**9, -(10**9)], limits.min, limits.max)
    assert coordinates.from_wire(given, dtype).tolist() == expected.tolist()


def test_the_largest_integer_type_takes_any_number():
    assert coordinates.from_wire(np.array([3e38, -3e38], dtype=np.float32), "int64").tolist() == [2**53, -(2**53)]


def test_a_boolean_is_true_from_a_half():
    given = np.array([0.0, 0.49, 0.5, 1.0, -1.0], dtype=np.float32)
    assert coordinates.from_wire(given, "bool").tolist() == [False, False, True, True, False]


@given(floats)
def test_bfloat16_rounds_as_torch_does(values):
    ours = coordinates.from_wire(values, "bfloat16")
    assert ours.tolist() == torch.from_numpy(values).to(torch.bfloat16).float().tolist()


@given(values=arrays(np.float32, 20, elements=finite))
def test_complex_numbers_are_pairs(values):
    array = values.view(np.complex64)
    tensors = numpy_arrays.flat_tensors({"x": array})
    assert sent(tensors, None).tolist() == values.tolist()


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=6).filter(any))
def test_chunks_follow_the_layout_whatever_the_sizes_of_the_tensors(sizes):
    arrays_ = {f"t{i}": np.arange(size, dtype=np.float32) for i, size in enumerate(sizes)}
    flat = np.concatenate(list(arrays_.values()))
    assert sent(numpy_arrays.flat_tensors(arrays_), None).tolist() == flat.tolist()


def test_a_number_that_is_not_finite_is_found_with_its_tensor():
    tensors = numpy_arrays.flat_tensors({"a": np.zeros(2000, np.float32), "b": np.array([1.0, np.inf], np.float32)})
    with pytest.raises(ModelUnusable, match="the update, tensor 'b': a coordinate is inf"):
        sent(tensors, np.zeros(2002, np.float32))


def test_a_float64_beyond_float32_is_found():
    with pytest.raises(ModelUnusable, match="tensor 'x': a coordinate is inf"):
        sent(tensors_of(np.array([1e300]), "float64"), None)


def test_a_model_out_of_range_is_found():
    with pytest.raises(ModelUnusable, match=r"the model, tensor 'x': a coordinate is 16384\.0"):
        sent(tensors_of(np.array([2.0**14]), "float32"), None)


@pytest.mark.parametrize("value", [2**24 + 1, -(2**24) - 1, -(2**63)])
def test_an_integer_that_float32_cannot_hold_is_found_with_its_tensor(value):
    with pytest.raises(ModelUnusable, match=f"tensor 'x' holds the integer {value}"):
        sent(tensors_of(np.array([3, value]), "int64"), np.zeros(2, np.float32))


def test_a_half_that_overflowed_shows_as_an_update_that_is_not_finite():
    base = np.array([1e6], dtype=np.float32)
    tensors = tensors_of(np.zeros(1), "float16")
    coordinates.load(tensors, layout_of([tensor.signature for tensor in tensors]), base)
    with pytest.raises(ModelUnusable, match="a coordinate is nan"):
        sent(tensors, base)


@pytest.mark.parametrize("dtype", DTYPES)
@given(base=arrays(np.float32, 24, elements=finite))
def test_torch_and_the_wire_agree_on_every_dtype(dtype, base):
    torch_dtype = getattr(torch, dtype)
    module = torch.nn.Module()
    module.register_buffer("x", torch.zeros(12 if dtype.startswith("complex") else 24, dtype=torch_dtype))
    tensors = torch_module.flat_tensors(module)
    layout = layout_of([tensor.signature for tensor in tensors])
    coordinates.load(tensors, layout, base)
    assert not sent(tensors, base).any()
    shown = torch.view_as_real(module.x) if dtype.startswith("complex") else module.x
    assert shown.reshape(-1).tolist() == coordinates.from_wire(base, dtype).tolist()
