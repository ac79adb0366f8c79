"""Becomes another program that the kernel ends together with the process that asked for it.

A broker that outlives a killed `fedka run` would keep its ports, 250 MB of memory and its state directory.
`PR_SET_PDEATHSIG` prevents that, and has to be set between fork and exec: not with `preexec_fn`, which may deadlock in
a process with threads, but by this file, run as a script of its own. It sets it and then turns into the wanted program,
so that the process id stays the same.

Linux only. Elsewhere the program runs untied, and an orderly stop is what ends it.

Usage: `python -I -S kafka_tether.py PARENT_PID PROGRAM [ARGUMENT...]`; imports nothing of Fedka, to be quick.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
ORPHANED = 125


def die_with_parent() -> None:
    """Asks the kernel for SIGKILL when the thread that started this process ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")


def main(parent: int, command: list[str]) -> None:
    """Does not return: this process is `command` from here on, or ends with `ORPHANED`."""
    if sys.platform == "linux":
        die_with_parent()
        if os.getppid() != parent:  # it died before the kernel was asked
            sys.exit(ORPHANED)
    os.execvp(command[0], command)  # noqa: S606  no shell is the point


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
