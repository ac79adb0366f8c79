import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fedka.local.pod_output import MESSAGE_BYTES, PodOutput, earlier
from fedka.local.pod_sections import PodLog, SectionReader

JOB = "fraud-bank-a-12345678"
POD = f"{JOB}-bbbbb"
HEADER = f"2026-01-01T00:00:00+00:00 {POD}: fedka participant"
LIMIT = 100_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / f"{JOB}.log"


def written(log: Path, program: str, *arguments: str) -> PodOutput:
    """What a process that runs this program writes, in the log."""
    output = PodOutput(log, HEADER, most_bytes=LIMIT)
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdout=output.descriptor, pass_fds=(output.shared,)) as process:
        output.start()
        assert process.wait(60) == 0
    output.finish()
    return output


def test_everything_is_in_the_log_below_its_header(log):
    output = written(log, "print('one'); print('two')")
    assert log.read_text() == f"--- {HEADER}\none\ntwo\n"
    assert output.last_words() == "one\ntwo\n"


def test_last_words_are_short(log):
    words = written(log, "print('x' * 5000); print('the end')").last_words()
    assert len(words) == MESSAGE_BYTES
    assert words.endswith("x\nthe end\n")


PRINTS = "import sys; [print(f'line {number}', 'x' * 100) for number in range(int(sys.argv[1]))]"


def test_a_flood_takes_the_space_of_two_files_and_the_newest_lines_are_kept(log):
    written(log, PRINTS, "20000")
    assert log.stat().st_size <= LIMIT
    assert earlier(log).stat().st_size <= LIMIT
    assert sorted(log.parent.iterdir()) == [log, earlier(log)]
    kept = [*earlier(log).read_text().splitlines(), *log.read_text().splitlines()]
    numbers = [int(line.split()[1]) for line in kept if line.startswith("line ")]
    assert numbers == list(range(numbers[0], 20_000)), "whole lines, and none of the last ones is missing"


def test_a_line_without_an_end_is_cut_and_bounded(log):
    written(log, "import os; [os.write(1, b'x' * 1000) for _ in range(1000)]")
    assert log.stat().st_size + earlier(log).stat().st_size <= 2 * LIMIT


def test_a_pod_that_was_killed_in_a_line_does_not_take_the_next_ones_lines(log):
    written(log, "print('half of a li', end='')")
    anew = POD.replace("-bbbbb", "-ccccc")
    output = PodOutput(log, HEADER.replace(POD, anew), most_bytes=LIMIT)
    os.write(output.descriptor, b"after it\n")
    output.start()
    output.finish()
    lines = {pod: list(SectionReader(PodLog(log, JOB), pod).lines(last=True)) for pod in (POD, anew)}
    assert lines == {POD: ["half of a li"], anew: ["after it"]}


def test_who_follows_a_log_goes_on_in_the_new_file(log):
    first = PodOutput(log, HEADER, most_bytes=LIMIT)
    os.write(first.descriptor, b"before\n")
    first.start()
    first.finish()
    reader = SectionReader(PodLog(log, JOB), POD)
    assert list(reader.lines(last=False)) == ["before"]
    written(log, PRINTS, "3000")
    lines = list(reader.lines(last=True))
    assert lines[-1].startswith("line 2999 ")
    assert reader.over is False


def test_a_disk_without_space_is_told_before_a_pod_starts(log):
    log.parent.mkdir()
    log.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        PodOutput(log, HEADER)


def test_a_log_that_cannot_be_written_any_more_stops_no_pod(log, caplog):
    output = PodOutput(log, HEADER, most_bytes=LIMIT)
    shutil.rmtree(log.parent)
    with subprocess.Popen([sys.executable, "-c", PRINTS, "20000"], stdout=output.descriptor) as process:
        output.start()
        assert process.wait(60) == 0
    output.finish()
    assert output.last_words().splitlines()[-1].startswith("line 19999 ")
    assert caplog.text.count("lacks lines from now on: No such file or directory") == 1
