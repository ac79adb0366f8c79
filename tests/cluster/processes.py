"""The programs that make up a cluster, by name: each started tied to this process, killed, and started again alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
    """What to run, and how to see that it is ready (at once, if that is not said)."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool] = lambda: True
    environment: Mapping[str, str] | None = field(default=None)


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
            environment=program.environment,
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
        self._running[name].kill()

    def restart(self, name: str) -> None:
        """End it in order if it still runs, start it and wait until it is ready. Raises ProgramFailed."""
        self._running[name].terminate(grace_seconds=GRACE_SECONDS)
        self.start(self._programs[name])

    def stop(self, name: str) -> None:
        """End it in order."""
        process = self._running.pop(name, None)
        if process is not None:
            process.terminate(grace_seconds=GRACE_SECONDS)

    def stop_all(self) -> None:
        """In the reverse order of their start."""
        for name in reversed(list(self._running)):
            self.stop(name)

    def pid(self, name: str) -> int:
        """Of the running program."""
        return self._running[name].pid
