"""The processes that a process has started, and those that these have started, whatever became of them in between.

A container ends with its first process, and all that ran in it ends too. A plain process has no such border: what an
app has started outlives it, in a process group or session of its own where no signal to the pod's group finds it. On
Linux a process may adopt what its descendants leave behind; then they all are below it, and can be ended.

Elsewhere than on Linux nothing is found, and nothing is ended. Standard library only, for process 1 of a pod.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
LOOK_SECONDS = 0.02  # between two looks for a child that has ended: waiting for any of them knows no time limit


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, as process 1 is by itself."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) was refused")


def descendants(process: int) -> list[int]:
    """Process ids of all that live below this process."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            children.setdefault(_parent(entry.read_text(errors="replace")), []).append(int(entry.parent.name))
    found = list(children.get(process, ()))
    for each in found:  # which grows meanwhile
        found += children.get(each, ())
    return found


def kill_all(processes: list[int]) -> None:
    """SIGKILL to each that still lives."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def end_all(grace_seconds: float) -> None:
    """Return when this process, which adopts orphans, has no descendants left; SIGKILL to them after the grace.

    To be called where no child is waited for by anybody else.
    """
    end = time.monotonic() + grace_seconds
    while _collect():
        if time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
        else:
            kill_all(descendants(os.getpid()))
            os.waitpid(-1, 0)


def _collect() -> bool:
    """Take leave of children that have ended; whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _parent(stat: str) -> int:
    """The parent's id in /proc/PID/stat: the second field after the name, which may have blanks and brackets in it."""
    return int(stat.rpartition(")")[2].split()[1])
