"""The exact sum: weighted updates added as 64-bit fixed-point integers.

Integer addition is associative, so the global model is a function of *which* updates were accepted, never of their
order, of a restart, or of how the work was sharded; and a subtraction undoes an addition to the last bit.

A coordinate x of an update with weight numerator n contributes rint(float64(x) * (n / weightScale * 2^36)). The
rounding is done by adding 1.5 * 2^52 and reading the bits as an integer; what that constant adds up to is taken off
at the end, modulo 2^64. With |x| < 2^14, n <= weightScale <= 2^29 and at most 4096 updates the true sum stays below
2^62. Nothing here depends on the CPU: no pow, exp, dot or float sum decides anything. (`dot` only answers "surely in
range" early; where it does not, every coordinate is looked at.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

import numpy as np
import numpy.typing as npt

from fedka.wire.layout import BYTES_PER_COORDINATE, Layout
from fedka.wire.records import MOST_EXAMPLES

FRACTION = 2.0**36
LIMIT = 2.0**14
ROUNDING = 1.5 * 2.0**52
ROUNDING_BITS = 0x4338000000000000
BLOCK = 65_536
NORM_UNITS = 2**46  # (|x| / maxNorm)^2 in fixed point: a block of 2^16 coordinates stays below 2^63
_MOST_ANNOUNCED_OVER_MEDIAN = 1024
_WIRE_FLOAT = np.dtype("<f4")


class OutOfRange(ValueError):
    """A coordinate is not finite, or its magnitude is 2^14 or more."""


def weight_scale(announced: Sequence[int]) -> int:
    """The smallest power of two >= min(largest, 1024 x median) of the announced examples of those selected.

    The median keeps one participant that announces 2^29 examples from rounding everybody else's update to nothing.
    """
    ceiling = min(max(announced), _MOST_ANNOUNCED_OVER_MEDIAN * median_low(announced), MOST_EXAMPLES)
    return 1 << (ceiling - 1).bit_length()


def weight_numerator(examples: int, announced: int, scale: int, *, uniform: bool) -> int:
    """What an update counts: its examples, at most what was announced, at most the scale; 1 where Uniform."""
    return 1 if uniform else min(examples, announced, scale)


def as_coordinates(data: bytes | memoryview) -> npt.NDArray[np.float32]:
    """A chunk's bytes as float32, shape (n,), without a copy."""
    return np.frombuffer(data, dtype=_WIRE_FLOAT)


def check_range(x: npt.NDArray[np.float32]) -> None:
    """Raise OutOfRange unless every coordinate of x, shape (n,), is finite and below 2^14 in magnitude."""
    with np.errstate(over="ignore", invalid="ignore"):
        if float(np.dot(x, x)) < LIMIT * LIMIT:  # a rounded sum of squares never falls below its largest term
            return
        inside = np.abs(x) < LIMIT  # False for NaN too
    if not inside.all():
        worst = float(x[int(np.argmin(inside))])
        raise OutOfRange(f"a coordinate is {worst}: finite values of magnitude below 2^14 are accepted")


def norm_units(x: npt.NDArray[np.float32], max_norm: float) -> int:
    """The sum of (x / max_norm)^2 in units of 2^-46, exact in the order of addition; x, shape (n,), is in range.

    An update's L2 norm is within max_norm when the units of all its chunks add up to at most NORM_UNITS.
    """
    if x.size and float(np.max(np.abs(x))) > max_norm:
        return NORM_UNITS + 1
    factor = NORM_UNITS / (max_norm * max_norm)
    total = 0
    for start in range(0, x.size, BLOCK):
        block = x[start : start + BLOCK].astype(np.float64)
        np.multiply(block, block, out=block)
        np.multiply(block, factor, out=block)
        total += int(np.rint(block).astype(np.int64).sum())
    return total


@dataclass(frozen=True, slots=True)
class Weight:
    """What an update counts: its numerator over the round's scale (a power of two)."""

    numerator: int
    scale: int

    @property
    def factor(self) -> np.float64:
        """The numerator over the scale, times 2^36: exact in float64."""
        return np.float64(self.numerator * (FRACTION / self.scale))


class ExactSum:
    """The one accumulator of a round: 8 bytes a coordinate, whatever the number of participants."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._width = layout.chunk_bytes // BYTES_PER_COORDINATE
        self._total: npt.NDArray[np.int64] = np.zeros(layout.coordinates, dtype=np.int64)
        self._added: npt.NDArray[np.int64] = np.zeros(layout.chunk_count, dtype=np.int64)
        self._scratch: npt.NDArray[np.float64] = np.empty(BLOCK, dtype=np.float64)

    def clear(self) -> None:
        """Forget everything."""
        self._total.fill(0)
        self._added.fill(0)

    def add(self, index: int, x: npt.NDArray[np.float32], weight: Weight) -> None:
        """Add chunk `index` of an update, shape (n,), already found to be in range."""
        self._fold(index, x, weight, np.add)
        self._added[index] += 1

    def subtract(self, index: int, x: npt.NDArray[np.float32], weight: Weight) -> None:
        """Take back an `add` of the same arguments, to the last bit."""
        self._fold(index, x, weight, np.subtract)
        self._added[index] -= 1

    def _fold(self, index: int, x: npt.NDArray[np.float32], weight: Weight, operation: np.ufunc) -> None:
        first = index * self._width
        factor = weight.factor
        for start in range(0, x.size, BLOCK):
            part = x[start : start + BLOCK]
            scaled = self._scratch[: part.size]
            np.multiply(part, factor, out=scaled)
            np.add(scaled, ROUNDING, out=scaled)
            total = self._total[first + start : first + start + part.size]
            operation(total, scaled.view(np.int64), out=total)

    def mean(self, index: int, *, weights: int, scale: int) -> npt.NDArray[np.float64]:
        """The weighted mean of chunk `index`, shape (n,); `weights` is the integer sum of the numerators."""
        first = index * self._width
        constant = (int(self._added[index]) * ROUNDING_BITS) % 2**64
        total = self._total[first : first + self._width].view(np.uint64) - np.uint64(constant)
        return np.divide(total.view(np.int64), np.float64(weights * (FRACTION / scale)))
