"""State directories as `fedka run` leaves them, written by hand: the resource, how it was called, logs of pods."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fedka.api.training import FederatedTraining
from fedka.local.invocation import Invocation
from fedka.plan.names import child_name
from fedka.plan.snapshot import Role

from .trainings import training

UID = "5b3d1f7c-0000-4000-8000-000000000001"
RUNNING = {
    "phase": "Running",
    "kafkaId": "default.tiny.5b3d1f7c",
    "startTime": "2026-01-01T11:58:45Z",
    "rounds": {"current": 3, "completed": 2, "total": 5, "summary": "2/5"},
}
COMPLETE = {**RUNNING, "phase": "Complete", "rounds": {"current": 5, "completed": 5, "total": 5, "summary": "5/5"}}


def keep(
    directory: Path, status: Mapping[str, Any] | None, *, name: str = "tiny", began: str = "2026-01-01T12:00:00Z"
) -> Path:
    """A run that has got so far."""
    directory.mkdir(parents=True, exist_ok=True)
    metadata = {"name": name, "namespace": "default", "uid": UID, "generation": 1, "creationTimestamp": began}
    obj = {**training(), "metadata": metadata} | ({} if status is None else {"status": dict(status)})
    draft = directory / "draft"
    draft.write_text(json.dumps(obj))
    draft.replace(directory / "training.json")
    return directory


def called(directory: Path, file: Path | str, *overrides: str, servers: str | None = None, name: str = "tiny") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    Invocation.of(name, str(file), overrides, servers).store(directory)
    return directory


def log_of(directory: Path, who: str | None) -> tuple[Path, str]:
    """The log file of a participant, or (None) of the aggregator, and the Job's name."""
    made = FederatedTraining.from_object(json.loads((directory / "training.json").read_text()))
    job = child_name(made, Role.AGGREGATOR if who is None else Role.PARTICIPANT, who)
    (directory / "logs").mkdir(exist_ok=True)
    return directory / "logs" / f"{job}.log", job


def pod_wrote(directory: Path, who: str | None, *lines: str, suffix: str = "bcdfg") -> None:
    """One more pod of a member, as the kubelet begins its part of the log, and what it has written."""
    file, job = log_of(directory, who)
    with file.open("a") as log:
        log.write(f"--- 2026-01-01T12:00:00.000+00:00 {job}-{suffix}: fedka participant\n")
        log.writelines(f"{line}\n" for line in lines)
