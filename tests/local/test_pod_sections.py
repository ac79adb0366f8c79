"""Logs of pods out of the files of their Jobs, read on while they grow."""

import pytest

from fedka.local.pod_output import earlier
from fedka.local.pod_sections import PodLog, SectionReader

JOB = "tiny-bank-a-0123abcd"


def header(suffix: str) -> str:
    return f"--- 2026-01-01T12:00:00.000+00:00 {JOB}-{suffix}: fedka participant\n"


@pytest.fixture
def log(tmp_path):
    return PodLog(tmp_path / f"{JOB}.log", JOB)


def append(log: PodLog, text: str) -> None:
    with log.file.open("a") as file:
        file.write(text)


def test_file_that_is_not_there_or_empty_has_no_sections(log):
    assert log.sections() == []
    log.file.touch()
    assert log.sections() == []


def test_sections_are_found_as_the_file_grows(log):
    append(log, header("bbbbb") + "one\n")
    assert [(each.pod[-5:], each.end) for each in log.sections()] == [("bbbbb", None)]
    append(log, "two, without an end")
    log.sections()
    append(log, "\n" + header("ccccc"))
    first, second = log.sections()
    assert (first.end, second.end) == (log.file.stat().st_size - len(header("ccccc")), None)


@pytest.mark.parametrize(
    "line", ["--- 2026-01-01 other-pod-bbbbb: x\n", f"--- {JOB}-bbbbb: x\n", f" {header('bbbbb')}"]
)
def test_lines_that_only_look_like_a_pods_first_begin_none(log, line):
    append(log, header("ccccc") + line)
    assert [each.pod[-5:] for each in log.sections()] == ["ccccc"]


def test_header_that_is_half_written_is_found_when_it_is_whole(log):
    whole = header("bbbbb")
    append(log, whole[:20])
    assert log.sections() == []
    append(log, whole[20:])
    assert len(log.sections()) == 1


def test_reader_goes_on_where_it_was(log):
    append(log, header("bbbbb") + "one\nha")
    reader = SectionReader(log, f"{JOB}-bbbbb")
    assert list(reader.lines(last=False)) == ["one"]
    append(log, "lf\n")
    assert list(reader.lines(last=False)) == ["half"]
    append(log, header("ccccc") + "another's\n")
    assert (list(reader.lines(last=False)), reader.over) == ([], True)


def test_last_line_counts_without_an_end_where_nothing_more_comes(log):
    append(log, header("bbbbb") + "killed in the mid")
    assert list(SectionReader(log, f"{JOB}-bbbbb").lines(last=True)) == ["killed in the mid"]


def test_tail_is_of_what_there_is_at_first(log):
    append(log, header("bbbbb") + "one\ntwo\nthree\n")
    reader = SectionReader(log, f"{JOB}-bbbbb", tail=2)
    assert list(reader.lines(last=False)) == ["two", "three"]
    append(log, "four\nfive\nsix\n")
    assert list(reader.lines(last=False)) == ["four", "five", "six"]


def begin_anew(log: PodLog, text: str) -> None:
    log.file.replace(earlier(log.file))
    append(log, text)


def test_lines_that_were_not_read_before_the_file_was_begun_anew_are_read_first(log):
    append(log, header("bbbbb") + "one\n")
    reader = SectionReader(log, f"{JOB}-bbbbb")
    assert list(reader.lines(last=False)) == ["one"]
    append(log, "two\n")
    begin_anew(log, header("bbbbb") + "three\n")
    assert list(reader.lines(last=False)) == ["two", "three"]


def test_a_file_that_is_just_being_begun_anew_is_looked_at_again(log):
    append(log, header("bbbbb") + "one\n")
    reader = SectionReader(log, f"{JOB}-bbbbb")
    assert list(reader.lines(last=False)) == ["one"]
    log.file.replace(earlier(log.file))
    assert list(reader.lines(last=False)) == []
    append(log, header("bbbbb") + "two\n")
    assert list(reader.lines(last=False)) == ["two"]
