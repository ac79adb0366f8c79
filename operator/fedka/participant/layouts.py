"""Layouts: what a model looks like to the rest of the run, and how two that do not fit differ."""

from collections.abc import Iterable

from pydantic import ValidationError

from fedka.participant.adapters.flat import Signature
from fedka.participant.errors import ModelUnusable
from fedka.wire.layout import DTYPES, RESERVED_NAME, Layout, Tensor
from fedka.wire.lines import is_name
from fedka.wire.records import MOST_RECORD_BYTES

MOST_LAYOUT_BYTES = MOST_RECORD_BYTES // 2  # the other half is for the pointer beside it in a commit


def layout_of(signatures: Iterable[Signature]) -> Layout:
    """The layout of a model's tensors. Raises ModelUnusable naming what cannot travel."""
    tensors = []
    for name, dtype, shape in signatures:
        if dtype not in DTYPES:
            raise ModelUnusable(f"tensor {name!r} is {dtype}: {', '.join(DTYPES)} can travel")
        if not is_name(name):
            raise ModelUnusable(f"tensor {name!r}: its name holds a character that cannot be printed")
        if name == RESERVED_NAME:
            raise ModelUnusable(f"tensor {name!r}: safetensors files keep this name for themselves; rename the tensor")
        try:
            tensors.append(Tensor(name=name, dtype=dtype, shape=shape))
        except ValidationError as error:
            raise ModelUnusable(f"tensor {name!r}: {error.errors()[0]['msg']}") from None
    if sum(tensor.coordinates for tensor in tensors) == 0:
        raise ModelUnusable("the model holds no numbers: there is nothing to train")
    try:
        layout = Layout(tensors=tuple(tensors))
    except ValidationError as error:
        raise ModelUnusable(f"the model has {len(tensors)} tensors: {error.errors()[0]['msg']}") from None
    size = len(layout.model_dump_json(by_alias=True))
    if size > MOST_LAYOUT_BYTES:
        raise ModelUnusable(
            f"the names and shapes of the model's {len(tensors)} tensors take {size} bytes: at most "
            f"{MOST_LAYOUT_BYTES} fit into a record; merge tensors or shorten their names"
        )
    return layout


def difference(mine: Layout, theirs: Layout) -> str:
    """In words, the first point in which two layouts differ."""
    for own, other in zip(mine.tensors, theirs.tensors, strict=False):
        if own != other:
            return f"tensor {_words(own)} here, {_words(other)} in the run"
    if len(mine.tensors) != len(theirs.tensors):
        return f"{len(mine.tensors)} tensors here, {len(theirs.tensors)} in the run"
    return f"chunks of {mine.chunk_bytes} bytes here, of {theirs.chunk_bytes} in the run"


def _words(tensor: Tensor) -> str:
    return f"{tensor.name!r} {tensor.dtype} {list(tensor.shape)}"
