"""A global model as a safetensors file, written from slices of the flat tensor space in any order.

The format is a length, a JSON header and the tensors' bytes (https://huggingface.co/docs/safetensors, format 0.x): the
header can be written from the layout alone, so slices go straight to their place and no framework is needed, not even
for dtypes that numpy lacks.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fedka.participant.coordinates import from_wire
from fedka.wire.layout import Layout, Tensor, tensor_spans

# complex128 has no word in the format; its numbers travel as pairs of float32, so complex64 holds all there is of them
_NAMES: Mapping[str, tuple[str, int]] = {
    "float32": ("F32", 4), "float64": ("F64", 8), "float16": ("F16", 2), "bfloat16": ("BF16", 2),
    "int64": ("I64", 8), "int32": ("I32", 4), "int16": ("I16", 2), "int8": ("I8", 1), "uint8": ("U8", 1),
    "bool": ("BOOL", 1), "complex64": ("C64", 8), "complex128": ("C64", 8),
}  # fmt: skip
_ALIGNMENT = 8


def part_of(path: Path) -> Path:
    """Where a file is written before it is whole."""
    return path.with_name(f"{path.name}.part")


class SafetensorsFile:
    """Written to `path` with `.part` behind it, and renamed when the block ends well."""

    def __init__(self, path: Path, layout: Layout, notes: Mapping[str, str]) -> None:
        self._path = path
        self._part = part_of(path)
        self._tensors = layout.tensors
        self._starts = [span.start for span in tensor_spans(layout.tensors)]
        self._places, header = _header(layout, notes)
        self._file = self._part.open("wb")
        self._file.write(header)
        self._body = len(header)

    def write(self, start: int, data: bytes) -> None:
        """Coordinates from `start` on, as little-endian float32; may begin and end within a tensor."""
        values = np.frombuffer(data, dtype="<f4")
        done = 0
        number = bisect_right(self._starts, start) - 1
        while done < values.size:
            tensor, within = self._tensors[number], start + done - self._starts[number]
            count = min(values.size - done, tensor.coordinates - within)
            if count > 0:
                self._write_tensor(number, within, values[done : done + count])
                done += count
            number += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if kind is None:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)

    def _write_tensor(self, number: int, within: int, values: npt.NDArray[np.float32]) -> None:
        tensor = self._tensors[number]
        self._file.seek(self._body + self._places[number] + within * _coordinate_bytes(tensor))
        self._file.write(_encoded(values, tensor.dtype))


def _header(layout: Layout, notes: Mapping[str, str]) -> tuple[list[int], bytes]:
    """Where each tensor begins in the body, and the header with its length before it."""
    entries: dict[str, Any] = {"__metadata__": dict(notes)}
    places, end = [], 0
    for tensor in layout.tensors:
        places.append(end)
        end += tensor.coordinates * _coordinate_bytes(tensor)
        entries[tensor.name] = {
            "dtype": _NAMES[tensor.dtype][0],
            "shape": list(tensor.shape),
            "data_offsets": [places[-1], end],
        }
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)  # readers map the body into memory and want it aligned
    return places, len(text).to_bytes(8, "little") + text


def _coordinate_bytes(tensor: Tensor) -> int:
    """Bytes in the file for each float32 on the wire; a complex number is two of them."""
    size = _NAMES[tensor.dtype][1]
    return size // 2 if tensor.dtype.startswith("complex") else size


def _encoded(values: npt.NDArray[np.float32], dtype: str) -> bytes:
    """The numbers as a participant's tensor of this dtype takes them, little-endian."""
    if dtype.startswith("complex"):
        return values.tobytes()
    if dtype == "bfloat16":
        rounded = from_wire(values, dtype).view(np.uint32) >> np.uint32(16)
        return rounded.astype("<u2").tobytes()
    typed = from_wire(values, dtype)
    return typed.astype(typed.dtype.newbyteorder("<"), copy=False).tobytes()
