"""What an update may hold: the range check and the norm, against exact oracles."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fedka.wire.exact import BLOCK, LIMIT, NORM_UNITS, OutOfRange, as_coordinates, check_range, norm_units

Floats = npt.NDArray[np.float32]

BELOW_LIMIT = np.nextafter(np.float32(LIMIT), np.float32(0))
ANY_BITS = npst.arrays(np.uint32, st.integers(0, 40)).map(lambda bits: bits.view(np.float32))
NEAR_LIMIT = npst.arrays(np.float32, st.integers(1, 40), elements=st.floats(-16400, 16400, width=32))
OUTSIDE = [LIMIT, -LIMIT, 1e30, -1e30, float("inf"), float("-inf"), float("nan"), 3.4e38]


@given(ANY_BITS | NEAR_LIMIT)
def test_the_range_check_lets_through_exactly_what_is_in_range(x: Floats) -> None:
    inside = all(bool(np.isfinite(v)) and abs(Fraction(float(v))) < 2**14 for v in x)
    if inside:
        check_range(x)
    else:
        with pytest.raises(OutOfRange):
            check_range(x)


@pytest.mark.parametrize("value", OUTSIDE)
@pytest.mark.parametrize("where", [0, 1, BLOCK - 1, BLOCK, 245_759])
def test_one_coordinate_out_of_range_is_found_anywhere_in_a_chunk(value: float, where: int) -> None:
    x = np.full(245_760, 1e-3, dtype=np.float32)
    x[where] = value
    with pytest.raises(OutOfRange, match=r"finite values of magnitude below 2\^14"):
        check_range(x)


@pytest.mark.parametrize("tiny", [0.0, 1e-45, 1e-20, 1e-3])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_quick_look_does_not_let_the_limit_itself_through_beside_others(tiny: float, sign: int) -> None:
    """2^14 squared is exactly where the quick look ends, so a sum rounded downwards would pass."""
    for size in (1, 7, 8, 33, 1000):
        x = np.full(size, tiny, dtype=np.float32)
        x[-1] = sign * LIMIT
        with pytest.raises(OutOfRange):
            check_range(x)


def test_many_large_coordinates_in_range_pass_the_close_look() -> None:
    check_range(np.full(BLOCK, BELOW_LIMIT, dtype=np.float32))


def test_the_refusal_names_the_value() -> None:
    with pytest.raises(OutOfRange, match="nan"):
        check_range(np.array([1.0, float("nan")], np.float32))


def test_a_chunk_s_bytes_are_little_endian_float32_without_a_copy() -> None:
    data = bytearray(b"\x00\x00\x80\x3f\x00\x00\x00\xc0")
    x = as_coordinates(memoryview(data))
    assert x.tolist() == [1.0, -2.0]
    data[3] = 0xBF
    assert x[0] == -1.0


def unit_oracle(x: Floats, max_norm: float) -> Fraction:
    return sum((Fraction(float(v)) ** 2 for v in x), Fraction(0)) * NORM_UNITS / Fraction(max_norm) ** 2


IN_RANGE = npst.arrays(np.float32, st.integers(1, 30), elements=st.floats(-16383, 16383, width=32))
MAX_NORM = st.floats(1e-3, 1e6)


@given(IN_RANGE, MAX_NORM)
def test_the_units_of_a_norm_are_near_the_exact_ones(x: Floats, max_norm: float) -> None:
    units, exact = norm_units(x, max_norm), unit_oracle(x, max_norm)
    if any(abs(float(v)) > max_norm for v in x):
        assert units > NORM_UNITS
    else:
        assert abs(units - exact) <= Fraction(6, 10) * len(x)  # half a unit each, and two roundings of float64


@given(IN_RANGE, MAX_NORM)
def test_a_norm_that_is_clearly_within_or_beyond_is_judged_so(x: Floats, max_norm: float) -> None:
    exact, margin = unit_oracle(x, max_norm), len(x)
    if exact < NORM_UNITS - margin:
        assert norm_units(x, max_norm) <= NORM_UNITS
    elif exact > NORM_UNITS + margin:
        assert norm_units(x, max_norm) > NORM_UNITS


@given(IN_RANGE, st.randoms(use_true_random=False), st.integers(0, 30))
def test_a13_the_units_do_not_depend_on_order_or_grouping(x: Floats, random: object, cut: int) -> None:
    """A dot product in four groupings has three values, so a norm may be accepted here and rejected there."""
    max_norm = 16384.0  # above every coordinate: the units then add up
    shuffled = x.tolist()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    whole = norm_units(x, max_norm)
    assert norm_units(np.array(shuffled, np.float32), max_norm) == whole
    assert norm_units(x[:cut], max_norm) + norm_units(x[cut:], max_norm) == whole


@pytest.mark.parametrize("max_norm", [10.0, 0.1, 3.0, 1e-3, 16383.0])
def test_a_single_coordinate_at_the_limit_is_within_it(max_norm: float) -> None:
    at = np.nextafter(np.float32(max_norm), np.float32(0)) if float(np.float32(max_norm)) > max_norm else max_norm
    assert norm_units(np.array([at], np.float32), max_norm) <= NORM_UNITS
    beyond = np.nextafter(np.float32(at), np.float32(np.inf))
    assert norm_units(np.array([beyond], np.float32), max_norm) > NORM_UNITS


def test_a_whole_chunk_of_coordinates_at_the_limit_does_not_overflow() -> None:
    assert norm_units(np.full(245_760, 2.0, np.float32), 2.0) == 245_760 * NORM_UNITS
