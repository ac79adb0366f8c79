"""Runs the CEL rules of a schema on an object as an API server does: at every level, transition rules on updates only.

Which CEL library, and why, is in `docs/adr/0001-cel-library.md`. It is imported when the first rule runs: the operator
in a cluster never needs it, as the API server has run the rules already.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Protocol

from fedka.api.errors import FieldError, member
from fedka.api.markers import Schema

RULES = "x-kubernetes-validations"


class CelMissingError(ImportError):
    """The CEL library is not installed."""


class _Program(Protocol):
    def execute(self, context: dict[str, Any]) -> object: ...


@cache
def _compiled(rule: str) -> _Program:
    try:
        import cel  # noqa: PLC0415  loaded with the first rule, see above
    except ImportError as error:
        raise CelMissingError(
            "checking a training's rules needs the package common-expression-language: pip install 'fedka[local]'"
        ) from error
    program: _Program = cel.compile(rule)
    return program


def check_rules(value: Any, old: Any, schema: Schema, path: str = "") -> Iterator[FieldError]:
    """The rules that the value breaks, here and below; `old` is None where there was no value before.

    Expects a value that fits the schema, with its defaults.
    """
    for rule in schema.get(RULES, []):
        transition = "oldSelf" in rule["rule"]
        if transition and old is None:
            continue
        context = {"self": value, "oldSelf": old} if transition else {"self": value}
        error = _broken(rule, context, path)
        if error is not None:
            yield error
    for name, child, below, before in _children(value, old, schema):
        where = f"{path}{name}" if name.startswith("[") else member(path, name)
        yield from check_rules(below, before, child, where)


def _broken(rule: Mapping[str, str], context: dict[str, Any], path: str) -> FieldError | None:
    try:
        holds = _compiled(rule["rule"]).execute(context)
    except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:  # all that the library raises
        # The server refuses such an object too.
        return FieldError(path, f"could not be checked against the rule {rule['rule']}: {error}")
    if holds is True:
        return None
    message, where = rule["message"], path + rule.get("fieldPath", "")
    if not where:  # at the root the message itself begins with the path
        where, message = message.split(" ", 1)
    problem, _, fix = message.partition(": ")
    return FieldError(where, problem, fix)


def _children(value: Any, old: Any, schema: Schema) -> Iterator[tuple[str, Schema, Any, Any]]:
    """Name, schema, value and old value of everything one level below.

    Items have an old value only in a list that tells its items apart by a key.
    """
    if isinstance(value, Mapping):
        before = old if isinstance(old, Mapping) else {}
        for name, item in value.items():
            child = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if child is not None:
                yield name, child, item, before.get(name)
    elif isinstance(value, list | tuple) and "items" in schema:
        keys = schema.get("x-kubernetes-list-map-keys", [])
        known = {tuple(item.get(key) for key in keys): item for item in old or []} if keys else {}
        for index, item in enumerate(value):
            before_item = known.get(tuple(item.get(key) for key in keys)) if keys else None
            yield f"[{index}]", schema["items"], item, before_item
