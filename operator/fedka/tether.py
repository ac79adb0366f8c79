"""Ends a process together with the one that started it, even if that one is killed and can clean nothing up.

The kernel does it (`PR_SET_PDEATHSIG`, Linux), but only if the child itself asks, after fork and before exec. Python's
`preexec_fn` could, yet it may deadlock in a process that has threads. So a process with threads runs this file as a
script (`tied`): it asks, and then becomes the wanted program under the same process id. It imports nothing of Fedka and
little else, which keeps it at some 15 ms. A process without threads forks and calls `become` itself.

Elsewhere than on Linux a process runs untied: then an orderly stop ends it, and a SIGKILL of its parent does not.
The kernel watches the *thread* that forked: start tied processes from one that lasts, such as the event loop's.

Usage: `python -I -S tether.py PARENT_PID PROGRAM [ARGUMENT...]`
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

PR_SET_PDEATHSIG = 1
ORPHANED = 125
CANNOT_EXECUTE = 127


def tied(command: Sequence[str]) -> list[str]:
    """The command that runs `command` tied to this process."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def become(parent: int, command: Sequence[str]) -> NoReturn:
    """Turn into `command`, tied to process `parent`.

    Ends this process with `ORPHANED` if that one has gone already, with `CANNOT_EXECUTE` if there is no such program.
    """
    _ask_for_death_signal()
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(ORPHANED)
    try:
        os.execvp(command[0], list(command))  # noqa: S606  no shell is the point
    except OSError as error:
        os.write(sys.stderr.fileno(), f"cannot execute {command[0]!r}: {error.strerror}\n".encode())
        os._exit(CANNOT_EXECUTE)


def _ask_for_death_signal() -> None:
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2:])
