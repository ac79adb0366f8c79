"""Between a model's own numbers and the float32 coordinates of the wire, bit-defined for every dtype.

To the wire: real numbers are rounded to float32, complex ones are two floats, integers must not exceed 2^24 in
magnitude (float32 holds no more), booleans are 0 and 1. From the wire: float16 and bfloat16 round to nearest even,
integers to the nearest (ties to even) within their range, a boolean is true from 0.5.

An update is float32(local - reference), where the reference is what the model was given: the base rounded to the
tensor's dtype, not the base itself. So what an app does not change moves by exactly 0 in every dtype, and averaging
loses none of the precision that the base has beyond it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fedka.participant.adapters.flat import FlatTensor
from fedka.participant.errors import ModelUnusable
from fedka.wire.exact import OutOfRange, check_range
from fedka.wire.layout import BYTES_PER_COORDINATE, Layout, tensor_spans

MOST_INTEGER = 2**24
_WIRE = np.dtype("<f4")
_AS_THEY_ARE = frozenset({"float32", "complex64"})
_HIGH_HALF = np.uint32(0xFFFF0000)
_JUST_BELOW_HALF = np.uint32(0x7FFF)
_MOST_EXACT = 2**53

Coordinates = npt.NDArray[np.float32]


def from_wire(coordinates: Coordinates, dtype: str) -> npt.NDArray[Any]:
    """The values, shape (n,), that a tensor of this dtype takes: real; bfloat16 as float32 on the bfloat16 grid."""
    if dtype in _AS_THEY_ARE:
        return coordinates
    if dtype in ("float64", "complex128"):
        return coordinates.astype(np.float64)
    if dtype == "bfloat16":
        return _rounded_to_bfloat16(coordinates)
    if dtype == "bool":
        return coordinates >= np.float32(0.5)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        with np.errstate(over="ignore"):  # an overflow shows as an update that is not finite, with the tensor's name
            return coordinates.astype(kind)
    limits = np.iinfo(kind)
    least, most = max(limits.min, -_MOST_EXACT), min(limits.max, _MOST_EXACT)
    return np.clip(np.rint(coordinates.astype(np.float64)), least, most).astype(kind)


def load(tensors: Sequence[FlatTensor], layout: Layout, coordinates: Coordinates) -> None:
    """Overwrite a model with coordinates, shape (layout.coordinates,), one tensor at a time."""
    for tensor, described, span in zip(tensors, layout.tensors, tensor_spans(layout.tensors), strict=True):
        tensor.assign(from_wire(coordinates[span.start : span.stop], described.dtype))


def chunks(tensors: Sequence[FlatTensor], layout: Layout, base: Coordinates | None) -> Iterator[npt.NDArray[np.uint8]]:
    """The model less `base`, or the model itself where `base` is None, chunk by chunk.

    Each chunk is a C-contiguous uint8 array, shape (layout.chunk_size(index),), valid until the next one is asked for.
    Raises ModelUnusable naming the tensor whose numbers cannot travel.
    """
    buffer = np.empty(layout.chunk_bytes // BYTES_PER_COORDINATE, dtype=_WIRE)
    filled = 0
    for tensor, span in zip(tensors, tensor_spans(layout.tensors), strict=True):
        values = tensor.values()
        start = 0
        while start < values.size:
            stop = min(values.size, start + buffer.size - filled)
            out = buffer[filled : filled + stop - start]
            reference = None if base is None else base[span.start + start : span.start + stop]
            _to_wire(values[start:stop], reference, tensor, out)
            filled += stop - start
            start = stop
            if filled == buffer.size:
                yield buffer.view(np.uint8)
                filled = 0
    if filled:
        yield buffer[:filled].view(np.uint8)


def _to_wire(values: npt.NDArray[Any], base: Coordinates | None, tensor: FlatTensor, out: Coordinates) -> None:
    name, dtype, _ = tensor.signature
    if values.dtype.kind in "iu" and values.size:
        _check_integers(values, name)
    with np.errstate(over="ignore", invalid="ignore"):  # both end as numbers that check_range finds
        if base is None:
            out[...] = values
        elif dtype in _AS_THEY_ARE:
            np.subtract(values, base, out=out)
        else:
            out[...] = np.subtract(values, from_wire(base, dtype), dtype=np.float64)
    try:
        check_range(out)
    except OutOfRange as error:
        what = "the model" if base is None else "the update"
        raise ModelUnusable(f"{what}, tensor {name!r}: {error}; if it grows, lower the learning rate") from None


def _check_integers(values: npt.NDArray[Any], name: str) -> None:
    worst = max(int(values.max()), int(values.min()), key=abs)
    if abs(worst) > MOST_INTEGER:
        raise ModelUnusable(
            f"tensor {name!r} holds the integer {worst}: float32, in which models travel, holds integers up to 2^24; "
            "keep larger ones outside of the model"
        )


def _rounded_to_bfloat16(coordinates: Coordinates) -> Coordinates:
    bits = np.ascontiguousarray(coordinates).view(np.uint32)
    lowest_kept = (bits >> np.uint32(16)) & np.uint32(1)
    with np.errstate(over="ignore"):
        rounded = (bits + _JUST_BELOW_HALF + lowest_kept) & _HIGH_HALF
    return rounded.view(np.float32)
