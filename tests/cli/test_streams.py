"""Commands whose standard streams are closed, full, left by their reader, or of an odd encoding."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fedka import exit_codes

from .kept import COMPLETE, keep, pod_wrote

GENEROUS_SECONDS = 120
FULL = Path("/dev/full")  # the kernel's own disk without space


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory with a run in it that is over."""
    run = keep(tmp_path / ".fedka" / "tiny-20260101-120000", COMPLETE)
    pod_wrote(run, "bank-a", "in Zürich")
    return tmp_path


def fedka(home: Path, redirection: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command with its streams as a shell makes them."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-m", "fedka", *arguments],
        cwd=home,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=GENEROUS_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["status", "tiny"], ["version"]])
def test_output_that_leads_nowhere_is_no_defect(home, arguments):
    done = fedka(home, "<&- >&-", *arguments)
    assert (done.returncode, done.stdout) == (exit_codes.OK, "")
    assert "unexpected" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("redirection", ["2>&-", f"2>{FULL}"])
def test_notes_that_nobody_can_read_do_not_change_what_is_printed(home, redirection):
    done = fedka(home, redirection, "status", "tiny")
    assert (done.returncode, done.stderr) == (exit_codes.OK, "")
    assert done.stdout.startswith("tiny  Complete")


@pytest.mark.parametrize("arguments", [["--help"], ["runs"]])
def test_full_disk_is_named(home, arguments):
    done = fedka(home, f">{FULL}", *arguments)
    assert done.returncode == exit_codes.FAILED
    assert done.stderr == "fedka: no space is left on the disk: free some, and give the command again\n"


@pytest.mark.parametrize("arguments", [["status", "tiny"], ["logs", "tiny"]])
def test_reader_who_has_seen_enough_is_no_failure(home, arguments):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "fedka", *arguments],
        cwd=home,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=GENEROUS_SECONDS,
        check=False,
    )
    os.close(write)
    assert done.returncode == exit_codes.OK
    assert "fedka:" not in done.stderr


def test_what_the_encoding_lacks_is_printed_as_an_escape(home):
    done = fedka(home, "", "logs", "tiny", "bank-a", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (exit_codes.OK, "in Z\\xfcrich\n")
