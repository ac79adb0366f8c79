import pytest

from fedka.participant.announced import FILE, AnnouncedExamples
from fedka.wire.records import MOST_EXAMPLES


def test_what_the_app_counts_is_announced():
    assert AnnouncedExamples(None, 120).number == 120


def test_without_a_count_one_is_announced():
    assert AnnouncedExamples(None, None).number == 1


def test_only_more_is_news():
    announced = AnnouncedExamples(None, 120)
    assert not announced.raise_to(120)
    assert announced.raise_to(121)
    assert announced.number == 121


def test_what_was_announced_last_is_remembered(tmp_path):
    AnnouncedExamples(tmp_path / "new", None).raise_to(77)
    assert AnnouncedExamples(tmp_path / "new", None).number == 77


def test_a_write_that_fails_leaves_what_was_remembered(tmp_path):
    AnnouncedExamples(tmp_path, None).raise_to(77)
    (tmp_path / f"{FILE}.new").mkdir()  # no file of that name can be written any more
    with pytest.raises(IsADirectoryError):
        AnnouncedExamples(tmp_path, None).raise_to(78)
    assert AnnouncedExamples(tmp_path, None).number == 77


def test_a_count_of_the_app_beats_the_memory(tmp_path):
    AnnouncedExamples(tmp_path, None).raise_to(77)
    assert AnnouncedExamples(tmp_path, 50).number == 50


@pytest.mark.parametrize(
    "written",
    [b"", b"0", b"-3", b"many", b"7\n7", b"\xff\xfe7", "\N{SUPERSCRIPT TWO}".encode(), b"536870913", b"9" * 5000],
    ids=lambda written: ascii(written[:12]),
)
def test_a_damaged_memory_counts_as_none(written, tmp_path):
    """Or a number that no record may hold would end the participant at each start."""
    (tmp_path / FILE).write_bytes(written)
    assert AnnouncedExamples(tmp_path, None).number == 1


def test_the_largest_number_is_remembered(tmp_path):
    AnnouncedExamples(tmp_path, None).raise_to(MOST_EXAMPLES)
    assert AnnouncedExamples(tmp_path, None).number == MOST_EXAMPLES
