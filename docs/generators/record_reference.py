"""Every control record and its fields, from the models that write and read them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from fedka.wire import records

TOPICS: dict[str, tuple[type[BaseModel], ...]] = {
    "spec": (records.Spec,),
    "journal": get_args(records.AnyJournalRecord),
    "audit": get_args(records.AnyAuditRecord),
    "control": get_args(records.AnyControlRecord),
}
# These stand in every record of a topic, and are explained once on the page.
_HEADER = {"type", "v", "epoch", "seq", "chain"}
_PATTERNS = {"^[0-9a-f]{32}$": "32 hex digits", "^[0-9a-f]{64}$": "64 hex digits"}
_NUMBERS = ("minimum", "maximum", "exclusiveMaximum")


def render(topic: str) -> str:
    """The records of one kind of topic in Markdown; of `parts`, what they consist of."""
    if topic == "parts":
        return "\n".join(_parts())
    return "\n".join(line for model in TOPICS[topic] for line in _record(model))


def record_types() -> set[str]:
    """The types of all records that the page is to show."""
    return {_type_of(model) for models in TOPICS.values() for model in models}


def _type_of(model: type[BaseModel]) -> str:
    return str(model.model_fields["type"].default)


def _record(model: type[BaseModel]) -> Iterator[str]:
    yield f"### `{_type_of(model)}`\n"
    yield from _text(model.__doc__)
    schema = model.model_json_schema(by_alias=True)
    yield from _members(schema, _HEADER)


def _parts() -> Iterator[str]:
    """The objects inside of records, each once."""
    known: dict[str, dict[str, Any]] = {}
    for model in (model for models in TOPICS.values() for model in models):
        known |= model.model_json_schema(by_alias=True).get("$defs", {})
    for name in sorted(known):
        schema = known[name]
        yield f"### {name}\n"
        yield from _text(schema.get("description"))
        if "enum" in schema:
            yield "One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + ".\n"
        else:
            yield from _members(schema, set())


def _text(docstring: str | None) -> Iterator[str]:
    if docstring:
        yield "\n".join(line.strip() for line in docstring.strip().splitlines()) + "\n"


def _members(schema: Mapping[str, Any], left_out: set[str]) -> Iterator[str]:
    needed = schema.get("required", ())
    members = {name: member for name, member in schema.get("properties", {}).items() if name not in left_out}
    for name, member in members.items():
        facts = [_kind(member), *_bounds(member), "" if name in needed or _default(member) else "optional"]
        yield f"- `{name}`: {', '.join(fact for fact in (*facts, _default(member)) if fact)}"
    if members:
        yield ""


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join("absent" if each.get("type") == "null" else _kind(each) for each in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    return _container(schema) or str(schema.get("type", "value"))


def _container(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    inner = schema.get("additionalProperties")
    return f"map of names to {_kind(inner)}" if isinstance(inner, Mapping) else ""


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    least, most, below = (schema.get(name) for name in _NUMBERS)
    if least is not None and (most is not None or below is not None):
        yield f"{least} to {most if most is not None else below - 1}"
    elif least is not None:
        yield f"at least {least}"
    if "maxLength" in schema:
        yield f"at most {schema['maxLength']} characters"
    if "pattern" in schema:
        yield _PATTERNS.get(schema["pattern"], f"`{schema['pattern']}`")
    for name in ("maxItems", "maxProperties"):
        if name in schema:
            yield f"at most {schema[name]} entries"


def _default(schema: Mapping[str, Any]) -> str:
    if schema.get("default") in (None, "", {}, []) or isinstance(schema.get("default"), dict):
        return ""
    return f"default `{json.dumps(schema['default'])}`"
