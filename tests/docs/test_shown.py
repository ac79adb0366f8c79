"""The comparison of what a page shows with what was said must find differences, or the docs' test can not fail."""

import pytest

from .shown import differs


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ((), "whatever\n"),
        (("a", "b"), "a\nb\n"),
        (("a", "...", "d"), "a\nb\nc\nd\n"),
        (("...", "d"), "a\nd\n"),
        (("a", "..."), "a\nb\n"),
        (("took 1.2 s at 00:00:00",), "took 300 s at 23:59:59\n"),
        (("the run lives in .fedka/first-20260101-000000",), "the run lives in .fedka/first-20261124-001906\n"),
        ((f"digest blake3:{'0' * 64}",), f"digest blake3:{'a' * 64}\n"),
        (("error: ... is 0",), "error: rounds.count is 0\n"),
    ],
)
def test_alike(shown, said):
    assert differs(shown, said) == ""


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (("a",), ""),
        (("a",), "b\n"),
        (("a",), "a\nb\n"),
        (("a", "c"), "a\nb\nc\n"),
        (("...", "x"), "a\nb\n"),
        (("a", "...", "b", "c"), "a\nb\n"),
        (("loss 0.41",), "loss 0.42\n"),
        (("error: ... is 0",), "error: rounds.count is 1\n"),
    ],
)
def test_different(shown, said):
    assert differs(shown, said) != ""
