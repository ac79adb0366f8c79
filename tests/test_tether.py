import os
import signal
import subprocess
import sys

import pytest

from fedka import tether

GENEROUS_SECONDS = 60
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
HOLD = "import signal, sys; print('held', flush=True); [signal.pause() for _ in iter(int, 1)]"


def test_the_program_keeps_the_process_id():
    command = tether.tied([sys.executable, "-c", "import os; print(os.getpid())"])
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said, _ = process.communicate(timeout=GENEROUS_SECONDS)
    assert int(said) == process.pid


def test_the_programs_exit_code_is_kept():
    command = tether.tied([sys.executable, "-c", "raise SystemExit(9)"])
    assert subprocess.run(command, timeout=GENEROUS_SECONDS, check=False).returncode == 9


def test_a_program_that_does_not_exist_is_named():
    process = subprocess.run(
        tether.tied(["/nowhere/program"]), capture_output=True, text=True, timeout=GENEROUS_SECONDS, check=False
    )
    assert process.returncode == tether.CANNOT_EXECUTE
    assert process.stderr == "cannot execute '/nowhere/program': No such file or directory\n"


def test_a_program_whose_parent_has_gone_already_does_not_start():
    command = tether.tied([sys.executable, "-c", "print('ran')"])
    command[command.index(str(os.getpid()))] = str(os.getppid())
    process = subprocess.run(command, capture_output=True, timeout=GENEROUS_SECONDS, check=False)
    assert (process.returncode, process.stdout) == (tether.ORPHANED, b"")


@ON_LINUX
@pytest.mark.parametrize("by", [signal.SIGKILL, tether.LEFT_ALONE])
def test_the_program_ends_with_a_killed_parent(by):
    start = f"subprocess.run(tether.tied([sys.executable, '-c', {HOLD!r}], {int(by)}))"
    parent = f"import subprocess, sys; from fedka import tether; {start}"
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    process.kill()
    assert process.stdout.readline() == ""  # end of file: nobody holds the pipe any more
    process.communicate(timeout=GENEROUS_SECONDS)
