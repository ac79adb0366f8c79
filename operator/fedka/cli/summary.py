"""What a run leaves to be told when it is over: how it ended, the model, and where everything lies."""

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import yaml

from fedka.api.conditions import find_condition
from fedka.api.reasons import ConditionType, Phase
from fedka.api.status import TrainingStatus
from fedka.api.training import FederatedTraining
from fedka.cli.causes import cause_of
from fedka.cli.story import ending_of, name_of
from fedka.local.invocation import run_again
from fedka.local.prospects import NoProspect
from fedka.wire.run_state import RunState


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run lives, and how it is called up again."""

    file: str
    state_dir: Path
    bootstrap_servers: str | None
    overrides: Sequence[str] = ()

    def again(self) -> str:
        """The command that takes this very run up again, with the file as it was given."""
        return run_again(self.file, self.overrides, self.state_dir, self.bootstrap_servers)


def print_resource(training: FederatedTraining, output: str) -> None:
    """The resource on stdout, as `json` or `yaml`."""
    obj = training.to_object()
    if output == "json":
        json.dump(obj, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        yaml.safe_dump(obj, sys.stdout, sort_keys=False)


def ended(
    training: FederatedTraining,
    place: Place,
    model_out: Path | None,
    unevaluated: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> str:
    """The summary of a run that is Complete or Failed; `unevaluated`: who could not evaluate, and why each time."""
    name = training.metadata.name
    command = ["fedka", "model", "get", name, "-o", f"{name}.safetensors", "--state-dir", str(place.state_dir)]
    model = str(model_out) if model_out is not None else f"in Kafka; to get it: {shlex.join(command)}"
    text = ending(training, model=model, logs=str(place.state_dir / "logs"))
    for who, causes in sorted(unevaluated.items()):
        times = "once" if len(causes) == 1 else f"{len(causes)} times"
        text += f"\n  {'no score':8} {who} could not evaluate the model {times}, the last time: {causes[-1]}"
    return text


def ending(training: FederatedTraining, *, model: str, logs: str) -> str:
    """How a run ended, wherever it was: where the `model` is, and the `logs`."""
    status = training.status or TrainingStatus()
    type_ = ConditionType.COMPLETE if status.phase is Phase.COMPLETE else ConditionType.FAILED
    condition = find_condition(status.conditions, type_)
    why = f" ({condition.reason}: {condition.message})" if condition is not None else ""
    lines = [f"{training.metadata.name}: {status.phase}{why}"]
    lines += [f"  {title:8} {text}" for title, text in _facts(status, model, logs)]
    return "\n".join(lines)


def given_up(training: FederatedTraining, place: Place, cause: NoProspect, reached: RunState | None = None) -> str:
    """Why a run was ended that could not go on, and how it can where that is mended; `reached` by its journal."""
    lines = [f"{training.metadata.name} cannot go on: {cause.message}"]
    told: dict[str, list[str]] = {}
    for pod in cause.pods:
        told.setdefault(cause_of(pod.message) or ending_of(pod), []).append(name_of(pod))
    for message, names in told.items():
        lines.append(f"  {', '.join(names)}: " + message.replace("\n", "\n    "))
    lines.append(f"  logs: {place.state_dir / 'logs'}")
    begun = reached is not None and reached.model is not None  # the status is written once a second at most
    if begun or (training.status is not None and training.status.model is not None):
        lines.append(f"Once that is mended: {place.again()}")
    return "\n".join(lines)


def stopped(training: FederatedTraining | None, place: Place, why: str, reached: RunState | None = None) -> str:
    """What is kept of a run that was stopped before its end, and how to go on; `reached` by its journal."""
    status = training.status if training is not None else None
    rounds = status.rounds if status is not None else None
    if training is None or rounds is None:
        return f"{why} before the run had begun"
    kafka = "topics" if place.bootstrap_servers is not None else "Kafka's data"
    current, completed = rounds.current, rounds.completed
    model = status.model.round if status is not None and status.model is not None else None
    if reached is not None:  # the status is written once a second at most
        current, completed = reached.round, reached.completed
        model = reached.model.round if reached.model is not None else None
    kept = f"{kafka}, logs" + (f" and the model of round {model}" if model is not None else "")
    where = f"in {place.state_dir}"
    if place.bootstrap_servers is not None:
        where += f" and at {place.bootstrap_servers}"
    return (
        f"{why} in round {current} of {rounds.total}, with {completed} rounds completed. "
        f"Kept: {kept}, {where}.\nTo go on: {place.again()}"
    )


def _facts(status: TrainingStatus, model: str, logs: str) -> list[tuple[str, str]]:
    facts = []
    if status.rounds is not None:
        missed = f", {status.rounds.missed} missed" if status.rounds.missed else ""
        facts.append(("rounds", f"{status.rounds.completed} of {status.rounds.total}{missed}{_duration(status)}"))
    if status.model is not None:
        metrics = "  ".join(f"{metric.name} {float(metric.value):.4g}" for metric in status.model.metrics)
        facts += [("metrics", metrics)] if metrics else []
        facts.append(("digest", f"{status.model.digest} (round {status.model.round})"))
        facts.append(("model", model))
    facts.append(("logs", logs))
    return facts


def _duration(status: TrainingStatus) -> str:
    if status.start_time is None or status.completion_time is None:
        return ""
    return f" in {(status.completion_time - status.start_time).total_seconds():.1f} s"
