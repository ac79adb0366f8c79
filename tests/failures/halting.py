"""An aggregator that a test holds at points of a run (`halting_aggregator.py`), to break something just there."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 90.0


class HaltingAggregator:
    """The process; its log is appended to `log`."""

    def __init__(self, bundle: Path, log: Path, points: Sequence[str]) -> None:
        program = Path(__file__).with_name("halting_aggregator.py")
        self._log = log
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, str(program), str(bundle), *points],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def halted(self, point: str) -> None:
        """Wait until it stands at this point."""
        try:
            said = self._said.get(timeout=PATIENCE)
        except queue.Empty:
            said = "nothing"
        assert said == point.partition("#")[0], f"the aggregator said {said}, not {point}:\n{self._log.read_text()}"

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def wait(self) -> int:
        """The exit code."""
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._thread.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.put(line.strip())
        self._said.put("that it has ended")
