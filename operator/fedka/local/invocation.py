"""How a run was called, kept in its state directory: what it takes to call it up again, and to reach its Kafka.

Written by `fedka run` when it begins and once its Kafka answers; read by commands of other terminals, and by the next
run of the same file.
"""

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fedka.whole_file import replace_text

FILE = "run.json"
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Invocation:
    """`file` is absolute, or `-`. `bootstrap_servers` were given; `kafka` is where the run's Kafka answers, once so."""

    training: str
    file: str
    overrides: tuple[str, ...] = ()
    bootstrap_servers: str | None = None
    kafka: str | None = None

    @classmethod
    def of(cls, training: str, file: str, overrides: Sequence[str], bootstrap_servers: str | None) -> "Invocation":
        """What the command line says, for any directory."""
        whole = file if file == STDIN else str(Path(file).resolve())
        return cls(training, whole, tuple(overrides), bootstrap_servers)

    def command(self, state_dir: Path) -> str:
        """The command that takes the run up again, in the present directory."""
        file = self.file if self.file == STDIN else str(shown(Path(self.file)))
        return run_again(file, self.overrides, shown(state_dir), self.bootstrap_servers)

    def store(self, state_dir: Path) -> None:
        """Keep it there; a crash leaves the old one or the new one."""
        replace_text(state_dir / FILE, json.dumps(asdict(self)))


def run_again(file: str, overrides: Sequence[str], state_dir: Path, bootstrap_servers: str | None) -> str:
    """The command that takes a run up again: without its overrides it would be one of other rounds."""
    servers = [] if bootstrap_servers is None else ["--bootstrap-servers", bootstrap_servers]
    changes = [word for override in overrides for word in ("--set", override)]
    return shlex.join(["fedka", "run", file, *changes, "--state-dir", str(state_dir), *servers])


def read_invocation(state_dir: Path) -> Invocation | None:
    """What was kept; None where nothing was, or nothing that this version understands."""
    try:
        kept: Any = json.loads((state_dir / FILE).read_text(encoding="utf-8"))
        return Invocation(
            training=str(kept["training"]),
            file=str(kept["file"]),
            overrides=tuple(str(each) for each in kept["overrides"]),
            bootstrap_servers=_text(kept["bootstrap_servers"]),
            kafka=_text(kept["kafka"]),
        )
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def shown(path: Path) -> Path:
    """The path as people here would write it."""
    whole, here = Path(os.path.abspath(path)), Path.cwd()  # noqa: PTH100  a link that was named is shown as named
    return whole.relative_to(here) if whole.is_relative_to(here) else whole
