"""Process 1 of a pod: starts the aggregator or participant again the moment it dies.

A Job cannot: it waits 10 s, then 20 s and so on before the next pod, while an aggregator that replays its journal is
back at work in a fraction of a second. So the pod's first process is this one. It starts the real program, passes
signals on, collects orphans, and starts the program again when it dies of anything that another start may mend. A
program that dies at once again and again is left dead: then the Job fails, and the operator decides. What a program
has started and left behind ends with it, as all of a container does, before it is started again.

Standard library only: it stands between a crash and the restart. It has no threads, which makes `os.fork` safe here.
"""

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType

from fedka.descendants import adopt_orphans, end_all
from fedka.exit_codes import FENCED, HOPELESS, OK
from fedka.tether import LEFT_ALONE, become

FINAL = frozenset({OK, FENCED, *HOPELESS})

_PASSED_ON = (signal.SIGTERM, signal.SIGINT)
_CAUGHT = (*_PASSED_ON, signal.SIGHUP, LEFT_ALONE)
_REST_SECONDS = 1.0  # for what a program left behind, e.g. what multiprocessing cleans up with


@dataclass(frozen=True, slots=True)
class Restarts:
    """When to start a program again, and when to stop doing so."""

    quick_seconds: float = 10.0
    """A program that lived less failed quickly; one that lived longer has a clean slate."""
    delays: tuple[float, ...] = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
    """Seconds before the start after the first, second, ... quick failure in a row. One failure more is the last."""


def supervise(
    argv: Sequence[str],
    *,
    restarts: Restarts = Restarts(),
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),  # noqa: T201  the pod's log
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Keep a program running until it is done, told to stop, or past help; returns the code to exit with.

    Codes of `FINAL` and a stop by SIGTERM or SIGINT, which are passed on, end it; so does SIGHUP, a terminal's end,
    which is passed on as SIGTERM. A program killed by signal n counts as code 128 + n. Where whoever started this
    process has gone (`LEFT_ALONE`), all ends at once. Call it from the main thread of a process without other threads
    or children.
    """
    with _Supervisor(argv, restarts=restarts, say=say, clock=clock).passing_signals_on() as supervisor:
        return supervisor.run()


class _Supervisor:
    def __init__(
        self,
        argv: Sequence[str],
        *,
        restarts: Restarts,
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._argv = list(argv)
        self._restarts = restarts
        self._say = say
        self._clock = clock
        self._child: int | None = None
        self._stopping: int | None = None
        self._woken, self._wake = os.pipe()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)

    @contextlib.contextmanager
    def passing_signals_on(self) -> Iterator["_Supervisor"]:
        before = {number: signal.signal(number, self._pass_on) for number in _PASSED_ON}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # only to be woken
        before[LEFT_ALONE] = signal.signal(LEFT_ALONE, _end_at_once)
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup has it ignored
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._pass_on)
        # Written to where the signal comes: our handlers run later, maybe after what is to be interrupted has begun.
        woken_before = signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        try:
            yield self
        finally:
            signal.set_wakeup_fd(woken_before)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(self._woken)
            os.close(self._wake)

    def run(self) -> int:
        adopt_orphans()
        failures = 0
        while True:
            started = self._clock()
            code = self._run_once()
            if code in FINAL or self._told_to_stop():
                return code
            failures = failures + 1 if self._clock() - started < self._restarts.quick_seconds else 1
            if failures > len(self._restarts.delays):
                self._say(f"supervisor: ended with code {code}, {failures} times in a row: giving up")
                return code
            delay = self._restarts.delays[failures - 1]
            self._say(f"supervisor: ended with code {code}, starting again in {delay:g} s")
            self._rest(delay)

    def _run_once(self) -> int:
        # A signal that comes between fork and exec would meet our handler in the child, and be lost: so it waits.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _CAUGHT)
        try:
            if self._stopping is not None:
                return 128 + self._stopping
            self._child = self._start(before)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        while True:  # as process 1 it is also the parent of every orphan of the pod
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                self._await_signal()
            elif pid == self._child:
                self._child = None
                end_all(_REST_SECONDS)
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code

    def _rest(self, seconds: float) -> None:
        end = self._clock() + seconds
        while not self._told_to_stop() and (left := end - self._clock()) > 0:
            self._await_signal(left)

    def _await_signal(self, seconds: float | None = None) -> None:
        """Return after a signal, of which one may have come before, or when the time is over."""
        select.select([self._woken], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, select.PIPE_BUF)

    def _start(self, mask: set[int]) -> int:
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            for number in _CAUGHT:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            become(parent, self._argv)
        return child

    def _told_to_stop(self) -> bool:
        return self._stopping is not None

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._stopping = signal.SIGTERM if number == signal.SIGHUP else number
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):  # it has just been waited for
                os.kill(self._child, self._stopping)


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    end_all(grace_seconds=0)
    os.kill(os.getpid(), signal.SIGKILL)  # as the tether would have ended it


if __name__ == "__main__":
    sys.exit(supervise(sys.argv[1:]))
