"""A program that lives no longer than this process, and whose output is followed line by line.

The thread that starts the program also reads its output until the end. It must be one and the same thread: the kernel
ties the program to the *thread* that started it (see `fedka.tether`), so a program started from a worker thread of an
event loop would die with that thread.
"""

import collections
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from io import RawIOBase
from pathlib import Path

from fedka.tether import tied

KEPT_LINES = 200  # holds a Java program's last words, stack traces and all


class TiedProcess:
    """Runs `command` in a session of its own: Ctrl-C in the terminal reaches this process only, which then stops it.

    Its output, standard error included, is appended to `log` as far as the disk takes it. `on_line` gets each line
    without its end, `on_end` the return code (negative: the signal), both in a thread of their own. The program
    inherits the descriptors `keep_open`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        on_line: Callable[[str], None],
        on_end: Callable[[int], None],
        environment: Mapping[str, str] | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        self._command = tied(command)
        self._log = log
        self._on_line = on_line
        self._on_end = on_end
        self._environment = None if environment is None else dict(environment)
        self._keep_open = tuple(keep_open)
        self._tail: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self._process: subprocess.Popen[str] | None = None
        self._code: int | None = None
        self._failure: OSError | None = None
        self._spawned = threading.Event()
        self._ended = threading.Event()
        threading.Thread(target=self._follow, name=f"follow-{command[0]}", daemon=True).start()
        self._spawned.wait()
        if self._failure is not None:
            raise self._failure

    @property
    def pid(self) -> int:
        """The program's own: the tether turns into it."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has neither ended nor still has output to be read."""
        return not self._ended.is_set()

    @property
    def code(self) -> int | None:
        """Its return code once it has ended; negative: the signal that ended it."""
        return self._code

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The end of its output."""
        return tuple(self._tail)

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Whether it has ended and all its output has been read, waiting for that as long as is given."""
        return self._ended.wait(timeout_seconds)

    def terminate(self, *, grace_seconds: float) -> None:
        """SIGTERM, and SIGKILL when that has not helped within the grace. Returns when the process is gone."""
        self._signal(signal.SIGTERM)
        if not self.wait(grace_seconds):
            self.kill()

    def kill(self) -> None:
        """SIGKILL, also to what it has started. Returns when the process is gone."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):  # it ended by itself in between
                os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):  # it ended by itself in between
            self._process.send_signal(number)

    def _follow(self) -> None:
        try:
            log = self._log.open("ab", buffering=0)  # a buffer that cannot be emptied cannot be closed
        except OSError as failure:
            self._fail(failure)
            return
        with log:
            try:
                process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    errors="replace",
                    env=self._environment,
                    pass_fds=self._keep_open,
                    start_new_session=True,
                )
            except OSError as failure:
                self._fail(failure)
                return
            self._process = process
            self._spawned.set()
            assert process.stdout is not None
            with process.stdout as output:
                for line in output:
                    self._tail.append(line.rstrip())
                    self._write(log, line)
                    self._on_line(line.rstrip("\n"))
            self._code = process.wait()
        self._ended.set()
        self._on_end(self._code)

    def _write(self, log: RawIOBase, line: str) -> None:
        """A full disk must not end the reading: the program would wait for it for ever."""
        try:
            log.write(line.encode())
        except OSError as failure:
            self._tail.append(f"(not in {self._log}: {failure.strerror})")

    def _fail(self, failure: OSError) -> None:
        self._failure = failure
        self._ended.set()
        self._spawned.set()
