"""The supervisor with real processes. A child says through a pipe where it has got to; nothing waits on the clock."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from fedka.exit_codes import CONFIG, FENCED, OK, USAGE
from fedka.tether import LEFT_ALONE

GENEROUS_SECONDS = 60
SUPERVISE = """
import sys
from fedka.supervisor import Restarts, supervise
delays = tuple(float(delay) for delay in sys.argv[1].split(","))
sys.exit(supervise(sys.argv[2:], restarts=Restarts(quick_seconds=3600, delays=delays)))
"""

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="ties and subreapers are Linux's")


@dataclass
class Supervised:
    process: subprocess.Popen[str]

    def line(self) -> str:
        """The next line that the child wrote; empty when all writers have gone."""
        return self.process.stdout.readline().strip()

    def end(self) -> int:
        return self.process.wait(GENEROUS_SECONDS)

    def said(self) -> list[str]:
        return self.process.stderr.read().splitlines()


@pytest.fixture
def supervised() -> Iterator[type]:
    """Run `python -c program` under a supervisor that is a process of its own."""
    started = []

    def start(program: str, *arguments: str, delays: str = "0,0,0", prelude: str = "") -> Supervised:
        child = [sys.executable, "-u", "-c", textwrap.dedent(program), *arguments]
        process = subprocess.Popen(
            [sys.executable, "-c", prelude + SUPERVISE, delays, *child],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return Supervised(process)

    yield start
    for process in started:
        process.kill()
        process.communicate()


COUNTING = """
    import os, sys, pathlib
    count = pathlib.Path(sys.argv[1])
    starts = int(count.read_text()) + 1 if count.exists() else 1
    count.write_text(str(starts))
    print("start", starts, os.getpid())
"""


@pytest.mark.parametrize("code", [OK, FENCED, USAGE, CONFIG])
def test_ends_with_a_code_that_a_restart_cannot_mend(supervised, tmp_path, code):
    run = supervised(f"{COUNTING}\n    sys.exit({code})", str(tmp_path / "count"))
    assert run.end() == code
    assert (tmp_path / "count").read_text() == "1"


def test_starts_a_crashed_program_again(supervised, tmp_path):
    run = supervised(f"{COUNTING}\n    sys.exit(1 if starts < 3 else 0)", str(tmp_path / "count"))
    assert run.end() == 0
    assert (tmp_path / "count").read_text() == "3"
    assert [line.split(",")[0] for line in run.said()] == ["supervisor: ended with code 1"] * 2


def test_starts_a_killed_program_again(supervised, tmp_path):
    program = f"{COUNTING}\n    if starts == 1: import signal; signal.pause()\n    sys.exit(0)"
    run = supervised(program, str(tmp_path / "count"))
    _, _, pid = run.line().split()
    os.kill(int(pid), signal.SIGKILL)
    assert run.line().startswith("start 2")
    assert run.end() == 0
    assert "137" in run.said()[0]


def test_gives_up_after_quick_failures_in_a_row(supervised, tmp_path):
    run = supervised(f"{COUNTING}\n    sys.exit(7)", str(tmp_path / "count"), delays="0,0")
    assert run.end() == 7
    assert (tmp_path / "count").read_text() == "3"
    assert run.said()[-1].endswith("giving up")


def test_a_program_that_does_not_exist_is_given_up(supervised):
    process = subprocess.run(
        [sys.executable, "-c", SUPERVISE, "0", "/nowhere/program"],
        capture_output=True,
        text=True,
        timeout=GENEROUS_SECONDS,
        check=False,
    )
    assert process.returncode == 127
    assert "cannot execute '/nowhere/program'" in process.stderr


@pytest.mark.parametrize(
    ("number", "passed_on"),
    [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT), (signal.SIGHUP, signal.SIGTERM)],
)
def test_passes_a_signal_on_and_ends_with_the_program(supervised, number, passed_on):
    run = supervised("""
        import signal, sys
        signals = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        print("ready")
        print("stopped by", int(signal.sigwait(signals)))
        sys.exit(5)
    """)
    assert run.line() == "ready"
    run.process.send_signal(number)
    assert run.line() == f"stopped by {int(passed_on)}"
    assert run.end() == 5


def test_a_closed_terminal_is_nothing_to_a_program_that_was_started_with_nohup(supervised):
    run = supervised("import signal; print('ready'); signal.pause()", prelude=NOHUP)
    assert run.line() == "ready"
    run.process.send_signal(signal.SIGHUP)
    run.process.send_signal(signal.SIGTERM)
    assert run.end() == 128 + signal.SIGTERM


NOHUP = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"


def test_a_program_that_does_not_handle_the_signal_ends_by_it(supervised):
    run = supervised("import signal; print('ready'); signal.pause()")
    assert run.line() == "ready"
    run.process.send_signal(signal.SIGTERM)
    assert run.end() == 128 + signal.SIGTERM


def test_a_stop_while_it_waits_to_restart_is_obeyed_at_once(supervised):
    run = supervised("import sys; sys.exit(9)", delays="100000")
    assert run.process.stderr.readline().strip().endswith("starting again in 100000 s")
    run.process.send_signal(signal.SIGTERM)
    assert run.end() == 128 + signal.SIGTERM


@ON_LINUX
def test_a_killed_supervisor_takes_its_program_along(supervised):
    run = supervised("import os, signal; print(os.getpid()); signal.pause()")
    assert run.line()
    run.process.kill()
    assert run.line() == ""  # end of file: the program held the other end of the pipe


DAEMON = """
    import os, signal, sys
    if os.fork() == 0:
        os.setsid()  # out of reach of a signal to the group
        if os.fork() == 0:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            print("daemon", flush=True)
            signal.pause()
        os._exit(0)
    os.wait()
    """


@ON_LINUX
def test_what_a_program_left_behind_ends_before_the_next_start(supervised, tmp_path):
    run = supervised(f"{COUNTING}{DAEMON}\n    sys.exit(1 if starts < 2 else 0)", str(tmp_path / "count"))
    assert run.end() == 0
    assert [run.line().split()[0] for _ in range(4)] == ["start", "daemon", "start", "daemon"]
    assert run.line() == ""  # end of file: neither daemon holds the pipe


@ON_LINUX
def test_ends_all_at_once_when_whoever_started_it_has_gone(supervised):
    run = supervised(f"{DAEMON}\n    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); signal.pause()")
    assert run.line() == "daemon"
    run.process.send_signal(LEFT_ALONE)
    assert run.line() == ""
    assert run.end() == -signal.SIGKILL


@ON_LINUX
def test_collects_the_orphans_of_a_pod(supervised):
    """It inherits them, as process 1 does: none may stay a zombie."""
    run = supervised(
        """
        import os, pathlib, time
        told, tell = os.pipe()
        middle = os.fork()
        if middle == 0:
            if os.fork() == 0:
                os.write(tell, str(os.getpid()).encode())
            os._exit(0)
        os.waitpid(middle, 0)
        orphan = pathlib.Path("/proc", os.read(told, 20).decode())
        while orphan.exists():
            time.sleep(0.005)
        print("collected")
        """
    )
    assert run.line() == "collected"
    assert run.end() == 0
