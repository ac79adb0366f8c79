"""The training that a command is given: a file or stdin, with what `--set` changes in it."""

import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from fedka import exit_codes
from fedka.api.errors import FieldError, InvalidResource
from fedka.api.loading import TrainingFileError, load_object
from fedka.api.rules import spec_problems
from fedka.api.training import FederatedTraining
from fedka.api.validation import admit, validate_object
from fedka.cli.errors import CommandFailed
from fedka.yaml_text import load_yaml

STDIN = "-"
_TOP = ("spec", "metadata")


def read_object(file: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The object in `file` (`-`: stdin) with the overrides `path=value` in it, checked like a file of its own.

    Raises TrainingFileError, InvalidResource, or CommandFailed for an override that is none.
    """
    obj = _from_stdin() if file == STDIN else load_object(Path(file))
    for override in overrides:
        _override(obj, override)
    if overrides:
        errors = validate_object(obj) or spec_problems(as_training(obj))
        if errors:
            raise InvalidResource([replace(error, place=f"{file} with --set") for error in errors])
    return obj


def as_training(obj: dict[str, Any]) -> FederatedTraining:
    """The training of an object, with its defaults."""
    return FederatedTraining.from_object(admit(obj))


def _from_stdin() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "stdin.yaml"
        path.write_bytes(sys.stdin.buffer.read())
        try:
            return load_object(path)
        except TrainingFileError as error:
            raise TrainingFileError(str(error).replace(str(path), STDIN, 1)) from error
        except InvalidResource as error:
            raise InvalidResource([_from_there(each, path) for each in error.errors]) from error


def _from_there(error: FieldError, path: Path) -> FieldError:
    return replace(error, place=error.place.replace(str(path), STDIN, 1))


def _override(obj: dict[str, Any], override: str) -> None:
    """Put one `rounds.count=3` into the object; a path is the spec's unless it begins with `spec.` or `metadata.`."""
    path, equals, text = override.partition("=")
    steps = re.findall(r"[^.\[\]\s]+", path)
    if not equals or not steps:
        raise CommandFailed(f"--set {override}: write PATH=VALUE, such as rounds.count=3", exit_codes.USAGE)
    if steps[0] not in _TOP:
        steps.insert(0, "spec")
    try:
        value = load_yaml(text)
    except yaml.YAMLError as error:
        raise CommandFailed(f"--set {override}: the value is not YAML: {text}", exit_codes.USAGE) from error
    node: Any = obj
    for step in steps[:-1]:
        node = _step(node, step, override)
    if isinstance(node, list):
        node[_index(node, steps[-1], override)] = value
    else:
        node[steps[-1]] = value


def _step(node: Any, step: str, override: str) -> Any:
    inner = node[_index(node, step, override)] if isinstance(node, list) else node.setdefault(step, {})
    if not isinstance(inner, dict | list):
        raise CommandFailed(f"--set {override}: {step} is a value and has no members", exit_codes.USAGE)
    return inner


def _index(items: list[Any], step: str, override: str) -> int:
    """The place in a list: its number, or the name of the item."""
    if step.isdecimal() and int(step) < len(items):
        return int(step)
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    if step in names:
        return names.index(step)
    known = ", ".join(str(name) for name in names)
    raise CommandFailed(f"--set {override}: there is no {step}; there are {known}", exit_codes.USAGE)
