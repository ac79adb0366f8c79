"""The command line as a process of its own, as users have it."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import yaml

from .trainings import APP

GENEROUS_SECONDS = 120


class Running:
    """A `fedka` process: its lines on stderr as they come, its stdout at the end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self.stdout = ""
        self._news = threading.Condition()
        self._over = False
        self._threads = [threading.Thread(target=self._follow), threading.Thread(target=self._collect)]
        for thread in self._threads:
            thread.start()

    def until(self, text: str) -> str:
        """The first line on stderr with this in it, once it has come."""
        with self._news:
            found = self._news.wait_for(lambda: self._find(text) or self._over, GENEROUS_SECONDS)
        assert found, f"{text!r} did not come in time:\n{self.stderr}"
        line = self._find(text)
        assert line, f"{text!r} never came:\n{self.stderr}"
        return line

    def until_lines(self, text: str, number: int) -> None:
        """Until so many lines on stderr have had this in them."""
        with self._news:
            came = self._news.wait_for(lambda: self._count(text) >= number or self._over, GENEROUS_SECONDS)
        assert came, f"{number} times {text!r} did not come in time:\n{self.stderr[-5000:]}"
        assert self._count(text) >= number, f"{number} times {text!r} never came:\n{self.stderr[-5000:]}"

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        code = self.process.wait(GENEROUS_SECONDS)
        for thread in self._threads:
            thread.join(GENEROUS_SECONDS)
        return code

    @property
    def stderr(self) -> str:
        return "".join(self.lines)

    def _find(self, text: str) -> str | None:
        return next((line for line in self.lines if text in line), None)

    def _count(self, text: str) -> int:
        return sum(text in line for line in self.lines)

    def _follow(self) -> None:
        with self.process.stderr as stderr:
            for line in stderr:
                with self._news:
                    self.lines.append(line)
                    self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()

    def _collect(self) -> None:
        with self.process.stdout as stdout:
            self.stdout = stdout.read()


class Directory:
    """A directory with an app and trainings in it, in which commands are run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.started: list[Running] = []
        self.program = [sys.executable, "-m", "fedka"]
        self.app(APP)

    def app(self, program: str) -> None:
        (self.path / "tiny_app.py").write_text(textwrap.dedent(program))

    def write(self, obj, name: str = "training.yaml") -> str:
        (self.path / name).write_text(obj if isinstance(obj, str) else yaml.safe_dump(obj))
        return name

    def start(self, *arguments: str, **environment: str) -> Running:
        process = subprocess.Popen(
            [*self.program, *arguments],
            cwd=self.path,
            env={**os.environ, "COLUMNS": "200", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running = Running(process)
        self.started.append(running)
        return running

    def fedka(self, *arguments: str, **environment: str) -> Running:
        """Run a command to its end."""
        running = self.start(*arguments, **environment)
        running.wait()
        return running

    def end(self) -> None:
        """No process that was started here outlives this."""
        for running in self.started:
            if running.process.poll() is None:
                running.process.kill()
            running.wait()

    def left_behind(self) -> list[str]:
        """Command lines of processes that know of this directory: nobody but a run's own children do."""
        return [command for _, command in self.processes()]

    def processes(self) -> list[tuple[int, str]]:
        """Process ids and command lines of those that work in this directory or name it."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal() or int(entry.name) == os.getpid():
                continue
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                where = str((entry / "cwd").readlink())
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state != "Z" and (str(self.path) in command or where.startswith(str(self.path))):
                found.append((int(entry.name), command))
        return found
