"""A torch module as a model: everything in its state_dict, buffers included, on whatever device it lies.

The only module that imports torch; it is imported only where an app has already made a torch module.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch

from fedka.participant.adapters.flat import Signature
from fedka.participant.errors import ModelUnusable


@dataclass(frozen=True, slots=True)
class TorchTensor:
    """One entry of the state_dict; shares the module's memory."""

    name: str
    tensor: torch.Tensor

    @property
    def signature(self) -> Signature:
        """Name, dtype, shape."""
        return self.name, str(self.tensor.dtype).removeprefix("torch."), tuple(self.tensor.shape)

    def values(self) -> npt.NDArray[Any]:
        """All values, flat; without a copy where the tensor is contiguous and lies in main memory."""
        tensor = self.tensor
        if tensor.is_complex():
            tensor = torch.view_as_real(tensor.resolve_conj())
        if tensor.dtype == torch.bfloat16:  # numpy does not know it
            tensor = tensor.float()
        array: npt.NDArray[Any] = tensor.reshape(-1).cpu().numpy()
        return array

    def assign(self, values: npt.NDArray[Any]) -> None:
        """Overwrite the tensor in place."""
        with torch.no_grad():
            target = torch.view_as_real(self.tensor) if self.tensor.is_complex() else self.tensor
            target.copy_(torch.from_numpy(values).reshape(target.shape))


def flat_tensors(module: torch.nn.Module) -> Sequence[TorchTensor]:
    """The tensors of the state_dict in its order. Raises ModelUnusable."""
    return [TorchTensor(name=name, tensor=_usable(name, entry)) for name, entry in module.state_dict().items()]


def _usable(name: str, entry: object) -> torch.Tensor:
    if not isinstance(entry, torch.Tensor):
        raise ModelUnusable(
            f"{name!r} in the module's state_dict is a {type(entry).__name__}: only tensors can be averaged; "
            "keep other state outside of the module"
        )
    if torch.nn.parameter.is_lazy(entry):
        raise ModelUnusable(f"tensor {name!r} has no shape yet: run the module once on an example in @app.model")
    if entry.layout != torch.strided or entry.is_quantized or entry.is_meta:
        raise ModelUnusable(f"tensor {name!r} is sparse, quantized or without memory: a dense one is expected")
    return entry.detach()
