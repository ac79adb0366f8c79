"""Programs started again whenever they die, as pods are, without the supervisor's limits: for tests that kill."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from fedka import exit_codes

FINAL = (exit_codes.OK, exit_codes.FENCED, exit_codes.CONFIG, exit_codes.USAGE)


class Restarted:
    """One program; all that it writes goes to `log`."""

    def __init__(self, name: str, command: Sequence[str], *, where: Path, log: Path) -> None:
        self.name = name
        self.codes: list[int] = []
        self._command = [sys.executable, *command]
        self._where = where
        self._log = log
        self._lock = threading.Lock()
        self._closing = False
        self._process = self._start()
        self._thread = threading.Thread(target=self._follow, name=f"restart-{name}", daemon=True)
        self._thread.start()

    def kill(self) -> None:
        with self._lock:
            self._process.kill()  # nothing, where it has ended already

    def wait(self, seconds: float) -> int:
        """The last exit code, once it is final."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), f"{self.name} has not ended:\n{self.last_words()}"
        return self.codes[-1]

    def last_words(self) -> str:
        return self._log.read_text()[-4000:]

    def close(self) -> None:
        with self._lock:
            self._closing = True
            self._process.kill()
        self._thread.join()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command, cwd=self._where, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _follow(self) -> None:
        while True:
            code = self._process.wait()
            with self._lock:
                self.codes.append(code)
                if self._closing or code in FINAL:
                    return
                self._process = self._start()
