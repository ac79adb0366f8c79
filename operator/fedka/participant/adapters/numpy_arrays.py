"""A dict of numpy arrays as a model: the way for scikit-learn, JAX or anything else to take part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fedka.participant.adapters.flat import Signature
from fedka.participant.errors import ModelUnusable


@dataclass(frozen=True, slots=True)
class NumpyTensor:
    """One array of the dict."""

    name: str
    array: npt.NDArray[Any]

    @property
    def signature(self) -> Signature:
        """Name, dtype, shape."""
        return self.name, self.array.dtype.name, self.array.shape

    def values(self) -> npt.NDArray[Any]:
        """All values, flat."""
        flat = self.array.reshape(-1)
        return flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat

    def assign(self, values: npt.NDArray[Any]) -> None:
        """Overwrite the array in place. Raises ModelUnusable where it is read-only."""
        if not self.array.flags.writeable:
            raise ModelUnusable(f"array {self.name!r} of the model is read-only: put a copy of it into the dict")
        complex_or_not = values.view(self.array.dtype.newbyteorder("=")) if self.array.dtype.kind == "c" else values
        np.copyto(self.array, complex_or_not.reshape(self.array.shape))


def flat_tensors(model: Mapping[str, Any]) -> Sequence[NumpyTensor]:
    """The arrays in the dict's order. Raises ModelUnusable."""
    tensors = []
    for name, array in model.items():
        if not isinstance(name, str) or not isinstance(array, np.ndarray):
            raise ModelUnusable(
                f"entry {name!r} of the model is a {type(array).__name__}: a dict of str to numpy arrays is expected"
            )
        tensors.append(NumpyTensor(name=name, array=array))
    return tensors
