"""The directory that one local run lives in: Kafka's data, logs, bundles, and what participants keep.

One at a time: two runs would share a broker's data and write over each other's logs, and who reads a run that nobody
runs any more starts its broker for that. The lock goes with its process, however that ends, so that it also tells
whether somebody runs the run.
"""

import contextlib
import fcntl
import itertools
import os
import shutil
import threading
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from fedka.local.disk import is_full, no_space
from fedka.local.kafka_errors import StateDirInUse
from fedka.local.kafka_lock import FileLock

RUNS = Path(".fedka")  # where runs are that were given no directory
TRAINING_FILE = "training.json"
LOCK_FILE = "run.lock"
LOGS = "logs"
BUNDLES = "bundles"  # of External participants
PATIENCE_SECONDS = 0.5  # who looks whether a directory is in use has its lock for a moment, at any time


class StateDirUnusable(Exception):
    """The state directory cannot be made or written to."""


class Use(StrEnum):
    """What somebody has a state directory for."""

    RUN = "run"
    READING = "reading"
    REMOVAL = "removal"


_MENDING = {
    Use.RUN: "Give one that can be written to with --state-dir.",
    Use.READING: "Its Kafka has to be started for that, and writes there: make a copy that is yours, or ask its owner.",
    Use.REMOVAL: "Ask its owner to remove it.",
}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a state directory. Both are None for the moment between taking it and saying so."""

    pid: int | None
    use: Use | None


class StateDir:
    """Held from construction to `release`. Raises StateDirInUse or StateDirUnusable."""

    def __init__(self, path: Path, use: Use = Use.RUN, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.path = path
        lock = path / LOCK_FILE
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(lock, patience_seconds=patience_seconds, cancelled=threading.Event())
            self._lock.write(f"{os.getpid()} {use}")
        except BlockingIOError as taken:
            raise StateDirInUse(_in_use(path, _told(lock))) from taken
        except OSError as error:
            cause = f"{no_space(path)}." if is_full(error) else f"{error.strerror}. {_MENDING[use]}"
            raise StateDirUnusable(f"The state directory {path} cannot be used: {cause}") from error

    @property
    def logs(self) -> Path:
        """Where pods' logs and the operator's lie."""
        return self.path / LOGS

    @property
    def participants(self) -> Path:
        """Where participants keep what outlives their process, a directory each."""
        return self.path / "participants"

    def release(self) -> None:
        """Let another run have it."""
        self._lock.write("")
        self._lock.release()

    def discard(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path)
        with contextlib.suppress(OSError):  # other runs lie beside it
            self.path.parent.rmdir()


def holder(path: Path) -> Holder | None:
    """Who has the directory at this moment; None where nobody has."""
    lock = path / LOCK_FILE
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):  # of a run that may not even be looked at nothing else is shown either
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _told(lock)
    finally:
        os.close(descriptor)
    return None


def is_run(path: Path) -> bool:
    """Whether somebody runs the run of that directory."""
    held = holder(path)
    return held is not None and held.use in (Use.RUN, None)


def _told(lock: Path) -> Holder:
    """What is written in a lock by whoever has it."""
    pid, _, use = lock.read_text(encoding="utf-8").partition(" ")
    known = Use(use) if use in tuple(Use) else Use.RUN if pid else None
    return Holder(int(pid) if pid.isdecimal() else None, known)


def _in_use(path: Path, held: Holder) -> str:
    pid = held.pid or "unknown"
    if held.use in (Use.READING, Use.REMOVAL):
        doing = "reads" if held.use is Use.READING else "removes"
        return f"The state directory {path} is in use by process {pid}, which {doing} it. Wait until that is done."
    return (
        f"The state directory {path} is in use by the run with process id {pid}. "
        "Stop that run, or give this one another --state-dir."
    )


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
