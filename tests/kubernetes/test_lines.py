"""Lines from parts: every one that fits is whole, and one that does not is cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fedka.kubernetes.lines import CUT, LONGEST_LINE, Lines


@given(st.lists(st.sampled_from([b"", b"a", b"bc", b"\n", b"\r", b"\xff"])).map(b"".join), st.data())
def test_lines_are_the_same_however_their_bytes_come(text: bytes, data: st.DataObject):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    lines = Lines()
    told = [line for start, end in pairwise([0, *cuts, len(text)]) for line in lines.take(text[start:end])]
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in told)
    assert b"".join([*told, lines.rest()]) == text


def test_a_line_as_long_as_may_be_is_whole():
    longest = b"x" * LONGEST_LINE
    assert list(Lines().take(longest + b"\nnext\n")) == [longest + b"\n", b"next\n"]


def test_a_longer_line_is_cut_and_leaves_the_others_alone():
    lines, megabyte = Lines(), b"x" * 2**20
    for _ in range(LONGEST_LINE // len(megabyte) + 3):
        assert list(lines.take(megabyte)) == []
    assert len(lines.rest()) == LONGEST_LINE
    assert list(lines.take(b"\nnext\n")) == [megabyte * (LONGEST_LINE // len(megabyte)) + CUT, b"next\n"]
