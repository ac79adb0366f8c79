"""The programs that make up a cluster, by name: each started tied to this process, killed, and started again alike."""

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fedka.local.kafka_process import TiedProcess

from .waiting import wait_until

GRACE_SECONDS = 10.0
READY_SECONDS = 120.0  # seconds as a rule; two cores may be busy with a whole suite
SHOWN_LINES = 15


class ProgramFailed(Exception):
    """A program of the cluster ended by itself, or was not ready in time."""


@dataclass(frozen=True)
class Program:
    """What to run, and how to see that it is ready (at once, if that is not said).

    `behind`: the command forks the program that is meant, and ends with it; signals are for that one.
    """

    name: str
    command: Sequence[str]
    ready: Callable[[], bool] = lambda: True
    behind: bool = False


class Processes:
    """Those of one cluster, in the order of their start. Their output goes to `logs`, a file each."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._programs: dict[str, Program] = {}
        self._running: dict[str, TiedProcess] = {}

    def launch(self, program: Program) -> None:
        """Start it and come back at once."""
        self._logs.mkdir(parents=True, exist_ok=True)
        self._programs[program.name] = program
        self._running[program.name] = TiedProcess(
            program.command,
            log=self._logs / f"{program.name}.log",
            on_line=lambda _line: None,
            on_end=lambda _code: None,
        )

    def await_ready(self, name: str) -> None:
        """Raises ProgramFailed with its last lines."""
        process, program = self._running[name], self._programs[name]

        def settled() -> bool:
            return not process.alive or program.ready()

        if not wait_until(settled, READY_SECONDS) or not process.alive:
            what = f"was not ready within {READY_SECONDS:g} s" if process.alive else f"ended with code {process.code}"
            shown = "\n".join(process.last_lines[-SHOWN_LINES:])
            raise ProgramFailed(f"{name} {what}. Its last lines:\n{shown}\nAll of them: {self._logs / f'{name}.log'}.")

    def start(self, program: Program) -> None:
        """Start it and wait until it is ready. Raises ProgramFailed."""
        self.launch(program)
        self.await_ready(program.name)

    def kill(self, name: str) -> None:
        """SIGKILL; it stays away until `restart`."""
        self._signal(name, signal.SIGKILL)
        self._running[name].wait()

    def restart(self, name: str) -> None:
        """End it in order if it still runs, start it and wait until it is ready. Raises ProgramFailed."""
        program = self._programs[name]
        self.stop(name)
        self.start(program)

    def stop(self, name: str) -> None:
        """End it in order, or by force if that takes too long."""
        process = self._running[name]
        self._signal(name, signal.SIGTERM)
        if not process.wait(GRACE_SECONDS):
            self.kill(name)
        del self._running[name]

    def end_all(self) -> None:
        """By force: nothing is worth keeping, and an API server would wait for clients that have gone."""
        for name in reversed(list(self._running)):
            self.kill(name)
        self._running.clear()

    def pid(self, name: str) -> int:
        """Of the running program."""
        pid = self.pid_of_starter(name)
        return child_of(pid) if self._programs[name].behind else pid

    def pid_of_starter(self, name: str) -> int:
        """Of what was started: another than the program itself where that is `behind` it."""
        return self._running[name].pid

    def alive(self, name: str) -> bool:
        """Whether it runs."""
        return name in self._running and self._running[name].alive

    def _signal(self, name: str, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has ended already
            os.kill(self.pid(name), number)


def child_of(pid: int) -> int:
    """The first child of a process. Raises ProcessLookupError when it has none, or is gone."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError as gone:
        raise ProcessLookupError(pid) from gone
    if not children:
        raise ProcessLookupError(pid)
    return int(children[0])
