"""`fedka plan --compare`: what a file would change of a training that is in the cluster already.

The verdict is the API server's own, by a dry run. What would be made and removed comes from the operator's planner,
asked once for the spec that is there and once for the one in the file.
"""

import asyncio
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import yaml

from fedka import exit_codes
from fedka.api.training import FederatedTraining
from fedka.cli.cluster_source import ClusterSource
from fedka.cli.command_line import say
from fedka.cli.connection import ClusterPlace, Connection, connect
from fedka.cli.differences import differences, shown
from fedka.cli.plan import planned
from fedka.cli.source import NoSuchTraining
from fedka.cli.training_file import as_training
from fedka.reconcile.ports import Invalid

_KINDS = ("topics", "secrets", "jobs")
_NEVER = "never while it runs"
_EFFECTS = (  # the first that fits
    (r"suspend", "at once: the open round ends first"),
    (r"activeDeadlineSeconds|failurePolicy|ttlSecondsAfterFinished", "at once"),
    (r"rounds\.seed", _NEVER),
    (r"rounds|evaluation", "at the next round"),
    (r"participants\.[^.]+\.(config|template)", "when its Job is next made"),
    (r"participants\.[^.]+\..+", _NEVER),
    (r"participants", "a new one joins the next round, one that goes is not asked any more"),
    (r"app", "when the training is resumed"),
    (r"participantTemplate", "when a Job is next made"),
    (r"aggregator", "when its Job is next made"),
)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the spec that would change; None stands for absent."""

    path: str
    before: Any
    after: Any
    effect: str


@dataclass(frozen=True, slots=True)
class Changes:
    """All that would. `refused`: what the API server has against it, then nothing would change."""

    name: str
    fields: list[Field]
    made: list[str]
    removed: list[str]
    refused: list[str]


async def changes(connection: Connection, obj: Mapping[str, Any]) -> Changes | None:
    """Compared with the training of that name; None where there is none, and all would be new."""
    metadata = {**obj["metadata"], "namespace": connection.namespace}
    try:
        before = await ClusterSource(connection, metadata["name"]).training()
    except NoSuchTraining:
        return None
    wanted: Mapping[str, Any] = {**obj, "metadata": {**metadata, "uid": before.metadata.uid}}
    refused: list[str] = []
    try:
        await connection.judge({name: wanted[name] for name in ("apiVersion", "kind", "metadata", "spec")})
    except Invalid as error:
        refused = [f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in error.causes]
    after = as_training(dict(wanted))
    specs = (each.to_object()["spec"] for each in (before, after))
    fields = [Field(*found, effect(found[0])) for found in differences("spec", *specs)]
    old, new = _children(before), _children(after)
    return Changes(metadata["name"], fields, sorted(new - old), sorted(old - new), refused)


def compared(place: ClusterPlace, obj: Mapping[str, Any], output: str | None) -> int | None:
    """Print what a file would change; the exit code, or None where the cluster has no such training."""

    async def ask() -> Changes | None:
        where = place if place.namespace else replace(place, namespace=obj["metadata"].get("namespace"))
        async with connect(where) as connection:
            return await changes(connection, obj)

    found = asyncio.run(ask())
    if found is None:
        say(f"the cluster has no training {obj['metadata']['name']} there: all of this would be new")
        return None
    print_changes(found, output)
    return exit_codes.CONFIG if found.refused else exit_codes.OK


def print_changes(found: Changes, output: str | None) -> None:
    """On stdout: `json`, `yaml`, or for people."""
    if output == "json":
        json.dump(asdict(found), sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif output == "yaml":
        yaml.safe_dump(asdict(found), sys.stdout, sort_keys=False)
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(found))


def _lines(found: Changes) -> Iterator[str]:
    if not found.fields:
        yield f"{found.name}: nothing would change"
        return
    yield f"{found.name}: {'refused by the cluster' if found.refused else 'would change'}"
    yield from (f"  {problem}" for problem in found.refused)
    for field in found.fields:
        yield f"  {field.path}: {shown(field.before)} -> {shown(field.after)}  ({field.effect})"
    yield from (f"  + {child}" for child in found.made)
    yield from (f"  - {child}" for child in found.removed)


def effect(path: str) -> str:
    """When a change of this field shows, if the cluster takes it."""
    return next((said for field, said in _EFFECTS if re.match(rf"spec\.({field})(\.|$)", path)), _NEVER)


def _children(training: FederatedTraining) -> set[str]:
    """What the training has while it runs, as `kind name`."""
    running = training.model_copy(update={"spec": training.spec.model_copy(update={"suspend": False}), "status": None})
    plan = planned(running, bootstrap_servers="kafka:9092", uid=training.metadata.uid)
    names = {kind: (each.get("name") or each["metadata"]["name"] for each in plan[kind]) for kind in _KINDS}
    return {f"{kind.removesuffix('s')} {name}" for kind, found in names.items() for name in found}
