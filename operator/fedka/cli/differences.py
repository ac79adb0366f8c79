"""Where two specs differ, and what of it comes too late."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fedka.api.reasons import ENDS
from fedka.api.training import FederatedTraining
from fedka.cli.training_file import as_training

MOST_SHOWN = 5


def differences(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """The innermost members that differ; items of a list are told apart by their names."""
    before, after = _by_name(before), _by_name(after)
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        if before != after:
            yield path, before, after
        return
    for name in dict.fromkeys([*before, *after]):
        yield from differences(f"{path}.{name}", before.get(name), after.get(name))


def _by_name(value: Any) -> Any:
    named = isinstance(value, list) and bool(value) and all(isinstance(each, dict) and "name" in each for each in value)
    return {each["name"]: each for each in value} if named else value


def shown(value: Any) -> str:
    """A value as a line has room for it; None stands for an absent one."""
    return "(absent)" if value is None else json.dumps(value)


def ignored_changes(saved: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> str:
    """What to say where a file asks for what a run that has ended did not do; empty where that is nothing."""
    before = FederatedTraining.from_object(dict(saved)) if saved is not None else None
    if before is None or before.status is None or before.status.phase not in ENDS:
        return ""
    specs = (each.to_object()["spec"] for each in (before, as_training(dict(wanted))))
    found = [f"{path}: {shown(old)} -> {shown(new)}" for path, old, new in differences("spec", *specs)]
    if not found:
        return ""
    more = f" and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
    return (
        f"this run is {before.status.phase} and does not go on, so what has been changed is left aside "
        f"({'; '.join(found[:MOST_SHOWN])}{more}): to train with it, give another --state-dir"
    )
