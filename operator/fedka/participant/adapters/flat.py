"""What an adapter makes of a model: tensors by name, each readable and writable as one flat numpy array."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy.typing as npt

Signature = tuple[str, str, tuple[int, ...]]
"""Name, dtype and shape of a tensor, as the layout has them."""


class FlatTensor(Protocol):
    """One tensor of a model as it stands."""

    @property
    def signature(self) -> Signature:
        """Name, dtype, shape."""
        ...

    def values(self) -> npt.NDArray[Any]:
        """All values, shape (coordinates,), real: a view where the tensor's memory allows it, else a copy.

        bfloat16 comes as float32; complex numbers as pairs of real and imaginary part.
        """
        ...

    def assign(self, values: npt.NDArray[Any]) -> None:
        """Overwrite the tensor in place with values of the kind that `values()` gives."""
        ...


Adapter = Callable[[Any], Sequence[FlatTensor]]
"""The tensors of a model, in an order that is the same in every process. Raises ModelUnusable."""
