"""The runs that state directories keep, found without loading what it takes to run one: completion must be quick."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fedka.api.reasons import ENDS
from fedka.local.invocation import Invocation, read_invocation
from fedka.local.state_dir import RUNS, TRAINING_FILE, is_run

_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A state directory. `training` is the resource as last written; None before that, or if it cannot be read."""

    directory: Path
    training: Mapping[str, Any] | None
    invocation: Invocation | None

    @property
    def name(self) -> str:
        """The training's name."""
        if self.training is not None:
            return str(self.training["metadata"]["name"])
        return self.invocation.training if self.invocation is not None else self.directory.name

    @property
    def phase(self) -> str | None:
        """The last one that was written."""
        phase = self._status.get("phase")
        return None if phase is None else str(phase)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.phase in ENDS

    @property
    def interrupted(self) -> bool:
        """Whether it has begun and not ended, and nobody runs it."""
        return self.training is not None and not self.ended and not is_run(self.directory)

    @property
    def rounds(self) -> str:
        """How far it is, as the status last said."""
        return str(_of(self._status.get("rounds")).get("summary", ""))

    @property
    def began(self) -> str:
        """When, as the resource has it."""
        metadata = self.training["metadata"] if self.training is not None else {}
        return str(metadata.get("creationTimestamp", ""))

    @property
    def participants(self) -> list[str]:
        """Their names, in the spec's order."""
        spec = self.training["spec"] if self.training is not None else {}
        listed = spec.get("participants")
        return [str(_of(each).get("name", "")) for each in (listed if isinstance(listed, list) else ())]

    @property
    def _status(self) -> Mapping[str, Any]:
        return _of((self.training or {}).get("status"))


def kept_run(directory: Path) -> KeptRun | None:
    """The run in a directory; None where there is none."""
    try:
        there = (directory / TRAINING_FILE).exists()
        training, invocation = _training(directory / TRAINING_FILE), read_invocation(directory)
    except PermissionError:  # somebody else's, of which no more can be told than that it is there
        return KeptRun(directory, None, None)
    return None if training is None and invocation is None and not there else KeptRun(directory, training, invocation)


def kept_runs(parent: Path = RUNS) -> list[KeptRun]:
    """Those that lie in a directory, the newest first."""
    try:
        directories = [each for each in parent.iterdir() if each.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = [run for each in directories if (run := kept_run(each)) is not None]
    return sorted(found, key=_age, reverse=True)


def _age(run: KeptRun) -> tuple[bool, str, list[str | int]]:
    """One that is just beginning is the newest; of two in one second the name tells, `-10` after `-2`."""
    name = [int(part) if part.isdecimal() else part for part in _NUMBER.split(run.directory.name)]
    return run.training is None and is_run(run.directory), run.began, name


def _training(path: Path) -> Mapping[str, Any] | None:
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None
    named = isinstance(_of(found).get("spec"), dict) and "name" in _of(_of(found).get("metadata"))
    return found if named else None


def _of(value: Any) -> Mapping[str, Any]:
    """Its members, where it has any: somebody may have had their hands in the file."""
    return value if isinstance(value, dict) else {}
