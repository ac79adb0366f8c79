"""The directory that one local run lives in: Kafka's data, logs, bundles, and what participants keep.

One run at a time: two would share a broker's data and write over each other's logs.
"""

import contextlib
import itertools
import os
import shutil
import threading
from datetime import datetime
from pathlib import Path

from fedka.local.kafka_errors import StateDirInUse
from fedka.local.kafka_lock import FileLock

PATIENCE_SECONDS = 0.0


class StateDirUnusable(Exception):
    """The state directory cannot be made or written to."""


class StateDir:
    """Held from construction to `release`. Raises StateDirInUse or StateDirUnusable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(path / "run.lock", patience_seconds=PATIENCE_SECONDS, cancelled=threading.Event())
        except BlockingIOError as taken:
            pid = (path / "run.lock").read_text(encoding="utf-8")
            raise StateDirInUse(
                f"The state directory {path} is in use by the run with process id {pid or 'unknown'}. "
                "Stop that run, or give this one another --state-dir."
            ) from taken
        except OSError as error:
            raise StateDirUnusable(
                f"The state directory {path} cannot be used: {error.strerror}. Give one that can be written to with "
                "--state-dir."
            ) from error
        self._lock.write(f"{os.getpid()}")

    @property
    def logs(self) -> Path:
        """Where pods' logs and the operator's lie."""
        return self.path / "logs"

    @property
    def participants(self) -> Path:
        """Where participants keep what outlives their process, a directory each."""
        return self.path / "participants"

    def release(self) -> None:
        """Let another run have it."""
        self._lock.write("")
        self._lock.release()

    def discard(self) -> None:
        """Remove it with all that is in it, after `release`: nothing worth keeping has happened here."""
        shutil.rmtree(self.path)
        with contextlib.suppress(OSError):  # other runs lie beside it
            self.path.parent.rmdir()


def fresh_directory(parent: Path, training: str, now: datetime) -> Path:
    """A new directory for a run of `training`, made. Raises StateDirUnusable."""
    name = f"{training}-{now:%Y%m%d-%H%M%S}"
    for number in itertools.count(1):
        path = parent / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise StateDirUnusable(
                f"The state directory {path} cannot be made: {error.strerror}. Give one that can with --state-dir."
            ) from error
        return path
    raise AssertionError("there is always a next number")
