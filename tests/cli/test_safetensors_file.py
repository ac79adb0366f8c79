"""A model as a safetensors file: any layout, any order of slices, read back by the format's own library."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file

from fedka.cli.safetensors_file import SafetensorsFile
from fedka.participant.coordinates import from_wire
from fedka.wire.layout import DTYPES, Layout, Tensor, tensor_spans

READABLE = sorted(set(DTYPES) - {"bfloat16"})  # numpy has no bfloat16
shapes = st.lists(st.integers(0, 5), max_size=3).map(tuple)
layouts = st.lists(st.tuples(st.sampled_from(READABLE), shapes), min_size=1, max_size=5).map(
    lambda parts: Layout(
        tensors=tuple(Tensor(name=f"t{i}", dtype=dtype, shape=shape) for i, (dtype, shape) in enumerate(parts))
    )
)


def write(path: Path, layout: Layout, values: np.ndarray, cuts: list[int]) -> None:
    """Write the slices between the cuts, the last one first."""
    edges = [0, *sorted(cuts), values.size]
    with SafetensorsFile(path, layout, {"round": "3"}) as file:
        for start, stop in reversed(list(itertools.pairwise(edges))):
            file.write(start, values[start:stop].astype("<f4").tobytes())


@given(layouts, st.data())
def test_every_tensor_is_what_a_participant_would_be_given(tmp_path_factory, layout, data):
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    values = (rng.standard_normal(layout.coordinates) * 50).astype(np.float32)
    write(path, layout, values, data.draw(st.lists(st.integers(0, values.size), max_size=4)))
    read = load_file(path)
    assert set(read) == {tensor.name for tensor in layout.tensors}
    for tensor, span in zip(layout.tensors, tensor_spans(layout.tensors), strict=True):
        wanted = from_wire(values[span.start : span.stop], tensor.dtype)
        if tensor.dtype.startswith("complex"):
            wanted = wanted.astype(np.float32).view(np.complex64)
        assert read[tensor.name].dtype == wanted.dtype
        assert np.array_equal(read[tensor.name], wanted.reshape(tensor.shape))


def test_bfloat16_is_rounded_to_nearest_even(tmp_path):
    layout = Layout(tensors=(Tensor(name="b", dtype="bfloat16", shape=(3,)),))
    values = np.array([1.0, 1.0 + 2**-8, 1.0 + 3 * 2**-8], np.float32)  # exact; ties to even, down and up
    write(tmp_path / "m", layout, values, [1])
    data = (tmp_path / "m").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert header["b"]["dtype"] == "BF16"
    assert np.frombuffer(data[-6:], "<u2").tolist() == [0x3F80, 0x3F80, 0x3F82]


def test_notes_are_in_the_metadata(tmp_path):
    layout = Layout(tensors=(Tensor(name="w", dtype="float32", shape=(2,)),))
    write(tmp_path / "m", layout, np.zeros(2, np.float32), [])
    with safe_open(tmp_path / "m", framework="numpy") as file:
        assert file.metadata() == {"round": "3"}


def test_file_that_was_not_finished_does_not_appear(tmp_path):
    layout = Layout(tensors=(Tensor(name="w", dtype="float32", shape=(2,)),))
    with pytest.raises(RuntimeError), SafetensorsFile(tmp_path / "m", layout, {}):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
