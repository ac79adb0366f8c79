"""The exact sum against Python's integers and fractions."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fedka.wire.exact import LIMIT, ExactSum, Weight
from fedka.wire.layout import Layout, Tensor

Floats = npt.NDArray[np.float32]

BELOW_LIMIT = float(np.nextafter(np.float32(LIMIT), np.float32(0)))
DENORMAL = float(np.finfo(np.float32).smallest_subnormal)
COORDINATE = st.floats(-BELOW_LIMIT, BELOW_LIMIT, width=32) | st.sampled_from(
    [0.0, -0.0, BELOW_LIMIT, -BELOW_LIMIT, DENORMAL, -DENORMAL, 2.0**-37, -(2.0**-37), 1.5 * 2.0**-36, 2.5 * 2.0**-36]
)


def layout_of(coordinates: int, chunk_bytes: int = 4096) -> Layout:
    return Layout(tensors=(Tensor(name="w", dtype="float32", shape=(coordinates,)),), chunk_bytes=chunk_bytes)


def rint(value: Fraction) -> int:
    return round(value)  # Python rounds a Fraction half to even, as the wire says


def contribution(x: float, weight: Weight) -> int:
    return rint(Fraction(x) * weight.numerator * 2**36 / weight.scale)


@dataclass(frozen=True)
class Update:
    x: Floats
    weight: Weight


@st.composite
def updates(draw: st.DrawFn, *, most: int = 6, coordinates: int = 5) -> list[Update]:
    scale = 1 << draw(st.integers(0, 29))
    return [
        Update(
            x=draw(npst.arrays(np.float32, coordinates, elements=COORDINATE)),
            weight=Weight(draw(st.integers(1, scale)), scale),
        )
        for _ in range(draw(st.integers(1, most)))
    ]


def sums(total: ExactSum) -> list[int]:
    """The integers in the accumulator, which a mean in float64 cannot show to the last bit."""
    constant = int(total._added[0]) * 0x4338000000000000
    return [(int(bits) - constant + 2**63) % 2**64 - 2**63 for bits in total._total]


def expected(given_updates: list[Update]) -> list[int]:
    columns = zip(*(update.x for update in given_updates), strict=True)
    return [
        sum(contribution(float(x), update.weight) for x, update in zip(column, given_updates, strict=True))
        for column in columns
    ]


@given(updates())
def test_the_sum_is_that_of_python_s_integers(some: list[Update]) -> None:
    total = ExactSum(layout_of(5))
    for update in some:
        total.add(0, update.x, update.weight)
    assert sums(total) == expected(some)


@given(updates(), st.randoms(use_true_random=False))
def test_the_bits_of_the_mean_do_not_depend_on_the_order(some: list[Update], random: object) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    means = []
    for order in (some, shuffled):
        total = ExactSum(layout_of(5))
        for update in order:
            total.add(0, update.x, update.weight)
        means.append(total.mean(0, weights=sum(u.weight.numerator for u in some), scale=some[0].weight.scale).tobytes())
    assert means[0] == means[1]


@given(kept=updates(), regretted=updates(), data=st.data())
def test_what_is_subtracted_was_never_there(kept: list[Update], regretted: list[Update], data: st.DataObject) -> None:
    """In any interleaving: a subtraction may even come before its addition."""
    steps = [("add", u) for u in (*kept, *regretted)] + [("subtract", u) for u in regretted]
    total = ExactSum(layout_of(5))
    for what, update in data.draw(st.permutations(steps)):
        getattr(total, what)(0, update.x, update.weight)
    assert sums(total) == expected(kept)


@given(updates(most=8), st.integers(0, 8))
def test_parts_summed_apart_add_up_to_the_whole(some: list[Update], cut: int) -> None:
    parts = []
    for group in (some[:cut], some[cut:]):
        total = ExactSum(layout_of(5))
        for update in group:
            total.add(0, update.x, update.weight)
        parts.append(sums(total))
    assert [a + b for a, b in zip(*parts, strict=True)] == expected(some)


@given(updates())
def test_the_mean_is_one_division_of_the_sum_by_the_weights(some: list[Update]) -> None:
    total = ExactSum(layout_of(5))
    for update in some:
        total.add(0, update.x, update.weight)
    weights, scale = sum(u.weight.numerator for u in some), some[0].weight.scale
    divisor = Fraction(weights * 2**36, scale)
    assert Fraction(float(divisor)) == divisor
    assert total.mean(0, weights=weights, scale=scale).tolist() == [float(s) / float(divisor) for s in expected(some)]


@given(updates())
def test_the_mean_is_near_the_true_weighted_mean(some: list[Update]) -> None:
    """Half a unit of 2^-36 an update, and two roundings of float64: what the wire promises of precision."""
    total = ExactSum(layout_of(5))
    for update in some:
        total.add(0, update.x, update.weight)
    weights, scale = sum(u.weight.numerator for u in some), some[0].weight.scale
    for index, mean in enumerate(total.mean(0, weights=weights, scale=scale).tolist()):
        true = sum(Fraction(float(u.x[index])) * u.weight.numerator for u in some) / weights
        allowed = Fraction(len(some) * scale, 2**37 * weights) + abs(true) / 2**51
        assert abs(Fraction(mean) - true) <= allowed


TIES = [n * 2.0**-37 for n in (1, 3, 5, 7, 2**24 - 1)]


@pytest.mark.parametrize("x", [sign * tie for tie in TIES for sign in (1, -1)])
def test_ties_go_to_the_even_integer(x: float) -> None:
    total = ExactSum(layout_of(1))
    total.add(0, np.array([x], np.float32), Weight(1, 1))
    assert sums(total) == [rint(Fraction(x) * 2**36)]
    assert sums(total)[0] % 2 == 0


@pytest.mark.parametrize("x", [0.0, -0.0, DENORMAL, -DENORMAL, 2.0**-38, -(2.0**-38)])
def test_what_is_nearer_to_zero_than_to_a_unit_counts_nothing(x: float) -> None:
    total = ExactSum(layout_of(1))
    total.add(0, np.array([x], np.float32), Weight(1, 1))
    assert sums(total) == [0]
    assert total.mean(0, weights=1, scale=1).tobytes() == np.zeros(1).tobytes()  # +0 whatever the sign was


@pytest.mark.parametrize("sign", [1, -1])
def test_the_most_updates_of_the_largest_magnitude_fit(sign: int) -> None:
    total = ExactSum(layout_of(2))
    x = np.array([sign * BELOW_LIMIT, -sign * BELOW_LIMIT], np.float32)
    weight = Weight(2**29, 2**29)
    for _ in range(4096):
        total.add(0, x, weight)
    one = contribution(sign * BELOW_LIMIT, weight)
    assert sums(total) == [4096 * one, -4096 * one]
    assert 4096 * abs(one) < 2**62
    assert total.mean(0, weights=4096 * 2**29, scale=2**29).tolist() == [sign * BELOW_LIMIT, -sign * BELOW_LIMIT]


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), orders=st.lists(st.permutations(range(3)), min_size=3, max_size=3))
def test_chunks_are_summed_apart_whatever_their_interleaving(seed: int, orders: list[list[int]]) -> None:
    """Three updates of three chunks (the last short), each update's chunks in an order of its own, turn about."""
    layout = layout_of(2 * 1024 + 7)
    random = np.random.default_rng(seed)
    models = [random.normal(0, 100, layout.coordinates).astype(np.float32) for _ in range(3)]
    weights = [Weight(int(random.integers(1, 1025)), 1024) for _ in range(3)]
    total = ExactSum(layout)
    for turn in range(3):
        for order, model, weight in zip(orders, models, weights, strict=True):
            index = order[turn]
            total.add(index, model[index * 1024 : (index + 1) * 1024], weight)
    numerators = sum(w.numerator for w in weights)
    mean = np.concatenate([total.mean(index, weights=numerators, scale=1024) for index in range(3)])
    integers = sum(
        np.rint(m.astype(np.float64) * w.factor).astype(np.int64) for m, w in zip(models, weights, strict=True)
    )
    assert mean.tolist() == [float(int(s)) / (numerators * 2**26) for s in integers]


def test_a_chunk_longer_than_the_block_is_summed_to_its_end() -> None:
    layout = layout_of(200_001, chunk_bytes=800_000)
    x = np.arange(200_001, dtype=np.float32) / np.float32(16)
    total = ExactSum(layout)
    for index in range(2):
        part = x[index * 200_000 : (index + 1) * 200_000]
        total.add(index, part, Weight(3, 4))
        total.add(index, part, Weight(1, 4))
    mean = np.concatenate([total.mean(index, weights=4, scale=4) for index in range(2)])
    assert mean.tolist() == x.astype(np.float64).tolist()


@given(before=updates(), after=updates())
def test_a_cleared_sum_is_like_a_new_one(before: list[Update], after: list[Update]) -> None:
    total = ExactSum(layout_of(5))
    for update in before:
        total.add(0, update.x, update.weight)
    total.clear()
    for update in after:
        total.add(0, update.x, update.weight)
    assert sums(total) == expected(after)


@given(numerator=st.integers(1, 2**29), power=st.integers(0, 29), x=COORDINATE)
def test_b10_the_product_before_the_rounding_is_exact(numerator: int, power: int, x: float) -> None:
    """So it makes no difference whether a CPU fuses the multiplication with the addition that rounds."""
    weight = Weight(min(numerator, 2**power), 2**power)
    assert Fraction(float(weight.factor)) == Fraction(weight.numerator * 2**36, weight.scale)
    assert Fraction(float(np.float64(x) * weight.factor)) == Fraction(x) * Fraction(float(weight.factor))
