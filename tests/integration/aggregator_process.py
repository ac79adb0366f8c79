"""The real aggregator in a process of its own, and its supervisor."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from fedka.supervisor import FINAL

from .followed_journal import PATIENCE

MOST_STARTS = 20


class AggregatorProcess:
    """`kill_at` names points at which it SIGKILLs itself, one a process, in order; see `killable_aggregator.py`."""

    def __init__(self, home: Path, bundle: Path) -> None:
        self._log = home / "aggregator.log"
        self._bundle = bundle
        self._stop = threading.Event()
        self._spawned: list[subprocess.Popen[bytes]] = []
        self._thread: threading.Thread | None = None
        self.alive_seconds = 10.0
        self.exit_codes: list[int] = []

    def start(self, kill_at: Sequence[str] = ()) -> "AggregatorProcess":
        """Run, and after each death run again, until it ends in a way that is final."""
        self._thread = threading.Thread(target=self._supervise, args=(list(kill_at),), daemon=True)
        self._thread.start()
        return self

    def spawn(self, kill_at: str = "") -> subprocess.Popen[bytes]:
        """One process, not restarted."""
        program = Path(__file__).with_name("killable_aggregator.py")
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(program), str(self._bundle), kill_at, str(self.alive_seconds)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        self._spawned.append(process)
        return process

    def _supervise(self, kill_at: list[str]) -> None:
        while not self._stop.is_set() and len(self.exit_codes) < MOST_STARTS:
            code = self.spawn(kill_at[0] if kill_at else "").wait()
            self.exit_codes.append(code)
            if code in FINAL:
                return
            kill_at = kill_at[1:]

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        return self._spawned[-1].pid

    def signal(self, number: int = signal.SIGKILL) -> None:
        """To the process that was started last."""
        self._spawned[-1].send_signal(number)

    def wait(self) -> list[int]:
        """The exit codes, once it has ended by itself."""
        assert self._thread is not None
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), f"the aggregator did not end:\n{self.log()}"
        return self.exit_codes

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def close(self) -> None:
        self._stop.set()
        for process in self._spawned:
            if process.poll() is None:
                process.kill()
        if self._thread is not None:
            self._thread.join()
        for process in self._spawned:
            process.wait()
