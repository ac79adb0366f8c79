"""The app's model in this process, with the global model that it starts from.

Two copies of the model are held: the app's own, and the float32 coordinates of the base, which the update is the
difference to. Chunks are computed one at a time from both.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fedka.participant import coordinates
from fedka.participant.adapters.choose import adapter_for
from fedka.participant.adapters.flat import FlatTensor
from fedka.participant.app import App
from fedka.participant.config import typed_config
from fedka.participant.context import Context, seed_for
from fedka.participant.errors import ModelUnusable
from fedka.participant.layouts import layout_of
from fedka.participant.results import Evaluated, Trained, check_examples
from fedka.wire.exact import as_coordinates
from fedka.wire.layout import BYTES_PER_COORDINATE


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the app is told, apart from the round."""

    participant: str
    run_seed: int
    config: Mapping[str, str]
    state_dir: Path | None
    logger: logging.Logger


class Learner:
    """Runs the app's functions on its model; each raises AppRaised, AppMisused or ModelUnusable.

    Making one builds the model, and raises ConfigRefused too.
    """

    def __init__(self, app: App[Any], circumstances: Circumstances) -> None:
        self._app = app
        self._circumstances = circumstances
        self._config = typed_config(app.config_type, circumstances.config)
        self._model = app.run_model(self._context(0))
        self._adapt: Callable[[Any], Iterable[FlatTensor]] = adapter_for(self._model)
        self.layout = layout_of([tensor.signature for tensor in self._adapt(self._model)])
        self.layout_digest = self.layout.digest()
        self._base: coordinates.Coordinates | None = None
        self.base_digest: str | None = None

    @property
    def evaluates(self) -> bool:
        """Whether the app can evaluate."""
        return self._app.evaluates

    def announced_examples(self) -> int | None:
        """How many training examples there are, where the app can say."""
        if not self._app.counts_examples:
            return None
        return check_examples(self._app.run_examples(self._context(0)), "what the examples function returned")

    def receive(self, digest: str, chunks: Iterable[tuple[int, bytes]]) -> None:
        """Take a global model as the base, from its chunks in any order."""
        self.base_digest = None  # until all are in
        base = self._base if self._base is not None else np.empty(self.layout.coordinates, dtype=np.float32)
        width = self.layout.chunk_bytes // BYTES_PER_COORDINATE
        for index, data in chunks:
            values = as_coordinates(data)
            base[index * width : index * width + values.size] = values
        self._base, self.base_digest = base, digest

    def train(self, round_number: int) -> Trained:
        """Load the base into the model and train. The model then holds the local one."""
        self._load_base()
        return self._app.run_train(self._model, self._context(round_number))

    def evaluate(self, round_number: int) -> Evaluated:
        """Load the base into the model and evaluate it."""
        self._load_base()
        return self._app.run_evaluate(self._model, self._context(round_number))

    def update_chunks(self) -> Iterator[npt.NDArray[np.uint8]]:
        """What training changed: the model less the base. Raises ModelUnusable."""
        return coordinates.chunks(self._tensors(), self.layout, self._held_base())

    def model_chunks(self) -> Iterator[npt.NDArray[np.uint8]]:
        """The model itself, as the app built it. Raises ModelUnusable."""
        return coordinates.chunks(self._tensors(), self.layout, None)

    def _context(self, round_number: int) -> Context[Any]:
        known = self._circumstances
        return Context(
            config=self._config,
            participant=known.participant,
            round=round_number,
            seed=seed_for(known.run_seed, known.participant, round_number),
            logger=known.logger,
            state_dir=known.state_dir,
        )

    def _held_base(self) -> coordinates.Coordinates:
        if self._base is None or self.base_digest is None:
            raise RuntimeError("there is no base model: receive() comes first")
        return self._base

    def _load_base(self) -> None:
        coordinates.load(self._tensors(), self.layout, self._held_base())

    def _tensors(self) -> list[FlatTensor]:
        found = {tensor.signature[0]: tensor for tensor in self._adapt(self._model)}
        tensors = []
        for wanted in self.layout.tensors:
            tensor = found.pop(wanted.name, None)
            now = tensor.signature[1:] if tensor is not None else None
            if tensor is not None and now == (wanted.dtype, wanted.shape):
                tensors.append(tensor)
            else:
                is_now = f"is {now[0]} {list(now[1])} now" if now else "is gone"
                raise ModelUnusable(
                    f"tensor {wanted.name!r} was {wanted.dtype} {list(wanted.shape)} when the model was made and "
                    f"{is_now}: change values in place, never names, dtypes or shapes"
                )
        if found:
            raise ModelUnusable(f"the model has got a new tensor {next(iter(found))!r}: make it in @app.model")
        return tensors
