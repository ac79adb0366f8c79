"""What an app leaves running or closes keeps its participant neither alive nor from saying what happened."""

import subprocess
import sys

import pytest

HANGS = """
import sys, threading
from fedka.participant.ending import end_despite_threads
from fedka.participant.logs import log_to_stderr
log_to_stderr("north")
threading.Thread(target=threading.Event().wait, name="sampler", daemon={daemon}).start()
end_despite_threads(7, seconds={seconds})
sys.exit(7)
"""
CLOSES = """
import logging, os, sys
from fedka.participant.logs import log_to_stderr
log_to_stderr("north")
{close}
logging.getLogger("fedka").info("still here: \\udc80")
"""


def ended(code: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stderr


def test_a_thread_that_never_ends_does_not_keep_the_process():
    code, log = ended(HANGS.format(daemon=False, seconds=0.1))
    assert code == 7
    assert "the app has left threads running: sampler; make them daemons" in log


def test_without_such_threads_nothing_is_waited_for():
    code, log = ended(HANGS.format(daemon=True, seconds=3600))
    assert (code, log) == (7, "")


@pytest.mark.parametrize("close", ["sys.stderr.close()", "os.close(2)", "sys.stderr = None"])
def test_the_log_outlives_stderr(close):
    code, log = ended(CLOSES.format(close=close))
    assert code in {0, 120}  # 120: Python itself could not flush what was closed behind its back
    assert "north: still here" in log
    assert "Traceback" not in log
