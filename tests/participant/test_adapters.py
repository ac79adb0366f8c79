import subprocess
import sys

import numpy as np
import pytest
import torch

from fedka.participant.adapters import numpy_arrays, torch_module
from fedka.participant.adapters.choose import adapter_for
from fedka.participant.errors import AppMisused, ModelUnusable
from fedka.participant.layouts import difference, layout_of
from fedka.wire.layout import Layout, Tensor


class Net(torch.nn.Module):
    """Parameters, buffers, a number without dimensions, an empty tensor, and one tensor under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(3, 2)
        self.norm = torch.nn.BatchNorm1d(2)
        self.tied = self.first
        self.scale = torch.nn.Parameter(torch.tensor(1.5))
        self.register_buffer("none", torch.empty(0, 4))


def signatures(model) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {tensor.signature[0]: tensor.signature[1:] for tensor in adapter_for(model)(model)}


def test_a_module_travels_with_all_of_its_state_dict():
    assert signatures(Net()) == {
        "scale": ("float32", ()),
        "none": ("float32", (0, 4)),
        "first.weight": ("float32", (2, 3)),
        "first.bias": ("float32", (2,)),
        "norm.weight": ("float32", (2,)),
        "norm.bias": ("float32", (2,)),
        "norm.running_mean": ("float32", (2,)),
        "norm.running_var": ("float32", (2,)),
        "norm.num_batches_tracked": ("int64", ()),
        "tied.weight": ("float32", (2, 3)),
        "tied.bias": ("float32", (2,)),
    }


def test_loading_a_module_changes_it_in_place():
    net = Net()
    weight = net.first.weight
    for tensor in torch_module.flat_tensors(net):
        tensor.assign(np.full(tensor.values().size, 3, dtype=tensor.values().dtype))
    assert weight.tolist() == [[3.0] * 3] * 2
    assert net.scale.item() == 3.0
    assert net.norm.num_batches_tracked.item() == 3
    assert weight.requires_grad


def test_a_contiguous_tensor_is_read_without_a_copy():
    net = Net()
    values = {tensor.name: tensor.values() for tensor in torch_module.flat_tensors(net)}["first.weight"]
    with torch.no_grad():
        net.first.weight.fill_(9.0)
    assert values.tolist() == [9.0] * 6


def test_a_transposed_tensor_travels_in_its_logical_order():
    module = torch.nn.Module()
    module.register_buffer("x", torch.arange(6.0).reshape(2, 3).t())
    (tensor,) = torch_module.flat_tensors(module)
    assert tensor.values().tolist() == [0, 3, 1, 4, 2, 5]
    tensor.assign(np.arange(6, dtype=np.float32))
    assert module.x.tolist() == [[0, 1], [2, 3], [4, 5]]


def test_a_lazy_module_is_told_to_run_once():
    with pytest.raises(ModelUnusable, match=r"tensor 'weight' has no shape yet: run the module once"):
        torch_module.flat_tensors(torch.nn.LazyLinear(2))


def test_a_tensor_without_memory_is_refused():
    with pytest.raises(ModelUnusable, match="without memory"):
        torch_module.flat_tensors(torch.nn.Linear(2, 2, device="meta"))


def test_state_that_is_no_tensor_is_refused():
    class Odd(torch.nn.Module):
        def get_extra_state(self) -> object:
            return {"steps": 3}

        def set_extra_state(self, state: object) -> None:
            pass

    with pytest.raises(ModelUnusable, match="'_extra_state' in the module's state_dict is a dict"):
        torch_module.flat_tensors(Odd())


def test_arrays_travel_in_the_order_of_the_dict():
    assert list(signatures({"b": np.zeros(2), "a": np.zeros((), dtype=bool)})) == ["b", "a"]


def test_a_strided_array_is_written_in_place():
    whole = np.zeros((4, 4), dtype=np.float32)
    (tensor,) = numpy_arrays.flat_tensors({"x": whole[::2, ::2]})
    tensor.assign(np.arange(4, dtype=np.float32))
    assert whole[::2, ::2].tolist() == [[0, 1], [2, 3]]
    assert tensor.values().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("dtype", [">f4", ">c8", ">i2"])
def test_arrays_of_foreign_byte_order_travel(dtype):
    (tensor,) = numpy_arrays.flat_tensors({"x": np.zeros(2, dtype=dtype)})
    tensor.assign(np.arange(tensor.values().size, dtype=tensor.values().dtype.newbyteorder("=")))
    assert tensor.values().tolist() == list(range(tensor.values().size))


def test_a_read_only_array_is_refused_when_it_is_written():
    array = np.zeros(2)
    array.flags.writeable = False
    (tensor,) = numpy_arrays.flat_tensors({"x": array})
    with pytest.raises(ModelUnusable, match="array 'x' of the model is read-only"):
        tensor.assign(np.ones(2))


@pytest.mark.parametrize("model", [{"x": [1.0]}, {3: np.zeros(1)}])
def test_a_dict_of_something_else_is_refused(model):
    with pytest.raises(ModelUnusable, match="a dict of str to numpy arrays is expected"):
        numpy_arrays.flat_tensors(model)


@pytest.mark.parametrize("model", [None, [np.zeros(1)], torch.zeros(2)])
def test_a_model_of_another_kind_is_refused(model):
    with pytest.raises(AppMisused, match=r"return a torch\.nn\.Module or a dict of numpy arrays"):
        adapter_for(model)


def test_numpy_models_do_not_load_torch():
    code = (
        "import sys, numpy; from fedka.participant.adapters.choose import adapter_for; "
        "adapter_for({'x': numpy.zeros(1)}); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("dtype", ["uint32", "object", "longdouble", "str"])
def test_a_dtype_that_cannot_travel_is_named(dtype):
    with pytest.raises(ModelUnusable, match=r"tensor 'x' is \w+: float32, float64"):
        layout_of(tensor.signature for tensor in numpy_arrays.flat_tensors({"x": np.zeros(2, dtype=dtype)}))


@pytest.mark.parametrize("model", [{}, {"x": np.zeros((0, 3))}])
def test_a_model_without_numbers_is_refused(model):
    with pytest.raises(ModelUnusable, match="holds no numbers"):
        layout_of(tensor.signature for tensor in numpy_arrays.flat_tensors(model))


def test_a_tensors_name_that_cannot_be_shown_is_refused():
    with pytest.raises(ModelUnusable, match=r"tensor 'two\\nlines': its name holds a character that cannot be printed"):
        layout_of([("two\nlines", "float32", (2,))])


def test_a_tensors_name_that_a_model_file_needs_itself_is_refused():
    with pytest.raises(ModelUnusable, match="tensor '__metadata__': safetensors files keep this name"):
        layout_of([("__metadata__", "float32", (2,))])


def test_a_layout_that_fits_into_no_record_is_refused():
    names = [(f"{'x' * 100}{i}", "float32", (1,)) for i in range(2000)]
    with pytest.raises(ModelUnusable, match=r"take \d+ bytes: at most 131072 fit"):
        layout_of(names)


def test_too_many_tensors_are_refused():
    with pytest.raises(ModelUnusable, match="16385 tensors"):
        layout_of((str(i), "bool", (1,)) for i in range(16_385))


def test_the_first_difference_of_two_layouts_is_told():
    mine = Layout(tensors=(Tensor(name="a", dtype="float32", shape=(2,)),))
    more = Layout(tensors=(*mine.tensors, Tensor(name="b", dtype="float32", shape=())))
    assert difference(mine, more) == "1 tensors here, 2 in the run"
    assert difference(mine, mine.model_copy(update={"chunk_bytes": 4096})).endswith("of 4096 in the run")
