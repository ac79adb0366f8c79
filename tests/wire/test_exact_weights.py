from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedka.wire.exact import ExactSum, Weight, weight_numerator, weight_scale
from fedka.wire.layout import Layout, Tensor
from fedka.wire.records import MOST_EXAMPLES

ANNOUNCED = st.lists(st.integers(1, MOST_EXAMPLES), min_size=1, max_size=20)
HONEST = 8


@given(ANNOUNCED)
def test_the_scale_is_the_smallest_power_of_two_that_holds_the_largest_or_1024_medians(announced: list[int]) -> None:
    scale = weight_scale(announced)
    wanted = min(max(announced), 1024 * sorted(announced)[(len(announced) - 1) // 2])
    assert scale.bit_count() == 1
    assert scale >= min(wanted, MOST_EXAMPLES)
    assert scale == 1 or scale // 2 < wanted
    assert scale <= MOST_EXAMPLES


@given(ANNOUNCED, st.randoms(use_true_random=False))
def test_the_scale_does_not_depend_on_the_order(announced: list[int], random: object) -> None:
    shuffled = list(announced)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert weight_scale(shuffled) == weight_scale(announced)


@pytest.mark.parametrize(
    ("announced", "scale"),
    [([1], 1), ([2], 2), ([3], 4), ([1024], 1024), ([1025], 2048), ([1, 2**29], 1024), ([2**29], 2**29)],
)
def test_scales_by_hand(announced: list[int], scale: int) -> None:
    assert weight_scale(announced) == scale


def test_a9_one_hello_that_announces_the_most_does_not_destroy_the_training() -> None:
    """With a scale from the largest number alone, deltas of 1e-3 of those with few examples round to nothing."""
    scale = weight_scale([1000] * HONEST + [MOST_EXAMPLES])
    assert scale == 2**20
    delta = np.float32(1e-3)
    total = ExactSum(Layout(tensors=(Tensor(name="w", dtype="float32", shape=(1,)),)))
    for _ in range(HONEST):
        numerator = weight_numerator(1000, 1000, scale, uniform=False)
        total.add(0, np.array([delta]), Weight(numerator, scale))
    mean = float(total.mean(0, weights=HONEST * 1000, scale=scale)[0])
    assert abs(Fraction(mean) - Fraction(float(delta))) / Fraction(float(delta)) < Fraction(1, 100_000)


@given(honest=st.lists(st.integers(500, 2000), min_size=3, max_size=20), data=st.data())
def test_a9_a_minority_cannot_raise_the_scale_beyond_1024_times_what_the_others_have(
    honest: list[int], data: st.DataObject
) -> None:
    liars = data.draw(st.lists(st.integers(1, MOST_EXAMPLES), max_size=(len(honest) - 1)))
    assert weight_scale(honest + liars) <= 2 * 1024 * max(honest)


@given(st.integers(1, MOST_EXAMPLES), st.integers(1, MOST_EXAMPLES), ANNOUNCED)
def test_a_numerator_is_never_more_than_announced_or_than_the_scale(
    examples: int, announced: int, others: list[int]
) -> None:
    scale = weight_scale([announced, *others])
    numerator = weight_numerator(examples, announced, scale, uniform=False)
    assert numerator == min(examples, announced, scale)
    assert 1 <= numerator <= scale


def test_uniform_weighting_counts_everyone_once() -> None:
    assert weight_numerator(70_000, 3, 1, uniform=True) == 1
