"""Runs one program after another for a caller that another thread may cancel: fetch, format, serve.

Nothing here polls: what a program prints, its end and a cancellation all arrive in one queue.
"""

import enum
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fedka.local.kafka_errors import KafkaStartCancelled
from fedka.local.kafka_process import TiedProcess

SHOWN_LINES = 20


class _Happened(enum.Enum):
    READY = enum.auto()
    ENDED = enum.auto()
    CANCELLED = enum.auto()


@dataclass(frozen=True)
class Finished:
    """A program that has ended, or was ended because it was not ready in time (then `timed_out`)."""

    code: int
    output: tuple[str, ...]
    timed_out: bool = False

    @property
    def last_lines(self) -> str:
        """The end of what it printed, for a message."""
        return "\n".join(self.output[-SHOWN_LINES:])

    def printed(self, text: str) -> bool:
        """Whether that was among its last words."""
        return any(text in line for line in self.output)


class Launcher:
    """One thread launches, any other may cancel."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._events: queue.SimpleQueue[_Happened] = queue.SimpleQueue()

    def cancel(self) -> None:
        """Makes the call in progress, and all that follow until `allow`, raise `KafkaStartCancelled`."""
        self.cancelled.set()
        self._events.put(_Happened.CANCELLED)

    def allow(self) -> None:
        """Ends the effect of `cancel`."""
        self.cancelled.clear()

    def check(self) -> None:
        """Raises `KafkaStartCancelled` after a `cancel`."""
        if self.cancelled.is_set():
            raise KafkaStartCancelled("The start of Kafka was cancelled.")

    def run(self, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> Finished:
        """Waits for the program's end. On any exception, Ctrl-C included, the program is gone when it is raised."""
        process, code = self._launch(command, log=log, ready=None, environment=environment, keep_open=())
        try:
            self._next(None)
        except BaseException:
            process.kill()
            raise
        return Finished(code=code[0], output=process.last_lines)

    def start(
        self, command: Sequence[str], *, log: Path, ready: str, timeout_seconds: float, keep_open: Sequence[int] = ()
    ) -> TiedProcess | Finished:
        """Waits for a line that contains `ready`; the program runs on. `Finished` where it does not come to that."""
        process, code = self._launch(command, log=log, ready=ready, environment=None, keep_open=keep_open)
        try:
            happened = self._next(timeout_seconds)
        except BaseException:
            process.kill()
            raise
        if happened is _Happened.READY:
            return process
        if happened is None:
            process.kill()
        return Finished(code=code[0] if code else -9, output=process.last_lines, timed_out=happened is None)

    def _launch(
        self,
        command: Sequence[str],
        *,
        log: Path,
        ready: str | None,
        environment: Mapping[str, str] | None,
        keep_open: Sequence[int],
    ) -> tuple[TiedProcess, list[int]]:
        events: queue.SimpleQueue[_Happened] = queue.SimpleQueue()
        self._events = events
        self.check()  # after the queue is in place: a cancellation is either seen here or comes through the queue
        code: list[int] = []

        def line_came(line: str) -> None:
            if ready is not None and ready in line:
                events.put(_Happened.READY)

        def end_came(return_code: int) -> None:
            code.append(return_code)
            events.put(_Happened.ENDED)

        process = TiedProcess(
            command, log=log, on_line=line_came, on_end=end_came, environment=environment, keep_open=keep_open
        )
        return process, code

    def _next(self, timeout_seconds: float | None) -> _Happened | None:
        """None when nothing has happened in time."""
        try:
            happened = self._events.get(timeout=timeout_seconds)
        except queue.Empty:
            return None
        self.check()
        return happened
