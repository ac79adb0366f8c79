"""Ends a process together with the one that started it, even if that one is killed and can clean nothing up.

The kernel does it (`PR_SET_PDEATHSIG`, Linux), but only if the child itself asks, after fork and before exec. Python's
`preexec_fn` could, yet it may deadlock in a process that has threads. So a process with threads runs this file as a
script (`tied`): it asks, and then becomes the wanted program under the same process id. It imports nothing of Fedka and
little else, which keeps it at some 15 ms. A process without threads forks and calls `become` itself.

Elsewhere than on Linux a process runs untied: then an orderly stop ends it, and a SIGKILL of its parent does not.
The kernel watches the *thread* that forked: start tied processes from one that lasts, such as the event loop's.

Usage: `python -I -S tether.py PARENT_PID SIGNAL PROGRAM [ARGUMENT...]`
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

PR_SET_PDEATHSIG = 1
LEFT_ALONE = signal.SIGUSR1
"""For a program that has others to end first: it catches the signal. Any other program is ended by it."""
ORPHANED = 125
CANNOT_EXECUTE = 127


def tied(command: Sequence[str], by: signal.Signals = signal.SIGKILL) -> list[str]:
    """The command that runs `command` tied to this process: it gets the signal `by` when this one has gone."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(by)), *command]


def become(parent: int, command: Sequence[str], by: signal.Signals = signal.SIGKILL) -> NoReturn:
    """Turn into `command`, tied to process `parent`.

    Ends this process with `ORPHANED` if that one has gone already, with `CANNOT_EXECUTE` if there is no such program.
    """
    _ask_for_death_signal(by)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(ORPHANED)
    try:
        os.execvp(command[0], list(command))  # noqa: S606  no shell is the point
    except OSError as error:
        os.write(sys.stderr.fileno(), f"cannot execute {command[0]!r}: {error.strerror}\n".encode())
        os._exit(CANNOT_EXECUTE)


def _ask_for_death_signal(number: signal.Signals) -> None:
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[3:], by=signal.Signals(int(sys.argv[2])))
