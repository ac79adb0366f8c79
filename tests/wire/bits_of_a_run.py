"""Run as a program: prints the digests of whole runs, and which CPU features numpy uses.

One run is made here, of models of every dtype and participants that compute with numpy: what they encode, what is
folded, closed and decoded again. The others are recorded ones that are replayed. Nothing in them depends on a generator
of random numbers.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from blake3 import blake3
from numpy._core import _multiarray_umath as core

import fedka

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.reference_loop import reference_run
from tests.wire.recorded_log import load
from tests.wire.told import replay

DTYPES = ("float64", "float32", "float16", "complex64", "int32", "int8", "bool")
SIZE = 30_011
ROUNDS = 3

app = fedka.App()


def fractions(seed: str, size: int) -> np.ndarray:
    """From 0 to 1, in steps of 2^-32; no generator whose algorithm could change takes part."""
    return np.frombuffer(blake3(seed.encode()).digest(4 * size), dtype="<u4") / 2.0**32


@app.model
def model(_context: fedka.Context) -> dict[str, np.ndarray]:
    return {dtype: (fractions(dtype, SIZE) * 3).astype(dtype) for dtype in DTYPES}


@app.train
def train(tensors: dict[str, np.ndarray], context: fedka.Context) -> fedka.Trained:
    """Moves each tensor towards the participant's own, by operations that IEEE 754 defines to the last bit."""
    for dtype, tensor in tensors.items():
        own = fractions(f"{context.participant} {context.round} {dtype}", SIZE) * 3
        moved = tensor.astype(np.float64 if tensor.dtype.kind != "c" else np.complex128) * 0.75 + own * 0.25
        tensor[...] = (moved >= 0.5) if dtype == "bool" else moved.astype(dtype)
    return fedka.Trained(examples=100 + len(context.participant), metrics={"loss": 1.0})


def digests() -> Iterator[tuple[str, str]]:
    """The digest of every model, by a name."""
    names: dict[str, dict[str, str]] = {"a": {}, "bea": {}, "cynthia": {}}
    for each in reference_run(app, names, seed=7, rounds=ROUNDS):
        yield f"made here, round {each.round}", each.digest
    for path in sorted(Path(__file__).with_name("recorded").glob("*/*.jsonl")):
        for told in replay(load(path)):
            if told["recomputed"] is not None:  # what it takes has gone from one of the logs
                yield f"{path.parent.name} {path.stem}, round {told['round']}", told["recomputed"]


if __name__ == "__main__":
    used = [name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)]
    found: dict[str, Any] = {"digests": dict(digests()), "used": used}
    json.dump(found, sys.stdout)
