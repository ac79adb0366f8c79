"""Run as a program: prints the digest of a sum, of its mean and of its norms, and which CPU features numpy uses."""

import json
import sys

import numpy as np
import numpy.typing as npt
from blake3 import blake3
from numpy._core import _multiarray_umath as core

from fedka.wire.exact import ExactSum, Weight, check_range, norm_units
from fedka.wire.layout import Layout, Tensor

UPDATES = 7
SCALE = 2**20


def coordinates(size: int, seed: int) -> npt.NDArray[np.float32]:
    """Float32 of every magnitude below 2^14, denormals too; no generator whose algorithm could change takes part."""
    bits = np.frombuffer(blake3(seed.to_bytes(4, "little")).digest(4 * size), dtype="<u4").copy()
    bits[(bits >> 23) & 0xFF >= 127 + 14] &= 0xBFFFFFFF  # the highest bit of the exponent: the rest is below 2
    return bits.view("<f4")


def digest() -> str:
    layout = Layout(tensors=(Tensor(name="w", dtype="float32", shape=(300_001,)),))
    total = ExactSum(layout)
    width = layout.chunk_bytes // 4
    numerators = [SCALE // (n + 1) - n for n in range(UPDATES)]
    norms = []
    for seed, numerator in enumerate(numerators):
        x = coordinates(layout.coordinates, seed)
        for index in range(layout.chunk_count):
            part = x[index * width : (index + 1) * width]
            check_range(part)
            norms.append(norm_units(part, 2.0**20 / 3))
            total.add(index, part, Weight(numerator, SCALE))
    result = blake3(repr(norms).encode())
    for index in range(layout.chunk_count):
        result.update(total.mean(index, weights=sum(numerators), scale=SCALE).tobytes())
    return result.hexdigest()


if __name__ == "__main__":
    used = [name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)]
    json.dump({"digest": digest(), "used": used}, sys.stdout)
