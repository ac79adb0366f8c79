"""Which adapter fits a model. torch is looked for only where the app has loaded it: importing it takes seconds."""

import sys
from collections.abc import Mapping
from typing import Any

from fedka.participant.adapters import numpy_arrays
from fedka.participant.adapters.flat import Adapter
from fedka.participant.errors import AppMisused


def adapter_for(model: Any) -> Adapter:
    """The adapter for what the app's model function returned. Raises AppMisused."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        from fedka.participant.adapters import torch_module  # noqa: PLC0415 torch is heavy, and not everybody has it

        return torch_module.flat_tensors
    if isinstance(model, Mapping):
        return numpy_arrays.flat_tensors
    kind = "None" if model is None else f"a {type(model).__name__}"
    raise AppMisused(f"the model function returned {kind}: return a torch.nn.Module or a dict of numpy arrays")
