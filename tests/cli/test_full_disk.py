"""What a command says where nothing can be written: the cause once, and no traceback."""

import errno
import logging
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.cli.errors import explained
from fedka.cli.logs import LogFile

FULL = Path("/dev/full")  # the kernel's own disk without space


def test_lines_that_a_log_lacks_are_told_of_once(capsys):
    log = LogFile(FULL)
    for _ in range(3):
        log.handle(logging.makeLogRecord({"msg": "a line"}))
    with pytest.raises(OSError, match="No space left"):  # what it holds back is tried once more
        log.close()
    assert capsys.readouterr().err == "fedka: /dev/full lacks lines from now on: No space left on device\n"


def test_a_file_of_somebody_else_is_no_defect_of_ours():
    message, code = explained(PermissionError(errno.EACCES, "Permission denied", "m.safetensors"))
    assert message == "fedka: m.safetensors: Permission denied: see whose it is, or name another place"
    assert code == exit_codes.FAILED


def test_a_full_disk_is_no_defect_of_ours():
    message, code = explained(OSError(errno.ENOSPC, "No space left on device", "model.safetensors"))
    assert message == (
        "fedka: no space is left on the disk of model.safetensors: free some, and give the command again"
    )
    assert code == exit_codes.FAILED
