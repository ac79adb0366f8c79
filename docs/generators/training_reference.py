"""Every field of the resource, from the schema that the API server has: what it does not say, no page can say."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fedka.api.structural import training_schema

ANY_TIME = "may change at any time"
SUSPENDED = "changes only while suspended"
NEVER = "never changes"
_RULES = "x-kubernetes-validations"
_UNITS = {"Seconds": "seconds", "Bytes": "bytes"}
_OPEN = "x-kubernetes-preserve-unknown-fields"


@dataclass(frozen=True)
class Field:
    """One field of the resource; `changes` is empty in the status, which only the operator writes."""

    path: str
    schema: Mapping[str, Any]
    required: bool
    changes: str

    @property
    def members(self) -> Mapping[str, Any]:
        """The members of an object, or of each object of a list."""
        return self.schema.get("properties") or self.schema.get("items", {}).get("properties") or {}


def render(part: str) -> str:
    """The reference of `spec` or `status` in Markdown, a section for each object."""
    root = _field(part, training_schema()["properties"][part], required=part == "spec", changes=_changes_at_root(part))
    return "\n".join(_section(root))


def fields(part: str) -> list[Field]:
    """All fields of `spec` or `status`, in the order of the page."""
    root = _field(part, training_schema()["properties"][part], required=True, changes=_changes_at_root(part))
    return list(_below(root))


def _below(field: Field) -> Iterator[Field]:
    for member in _members(field):
        yield member
        yield from _below(member)


def _changes_at_root(part: str) -> str:
    return ANY_TIME if part == "spec" else ""


def _field(path: str, schema: Mapping[str, Any], *, required: bool, changes: str) -> Field:
    own = [rule["rule"] for rule in schema.get(_RULES, ())]
    return Field(path, schema, required, NEVER if changes and "self == oldSelf" in own else changes)


def _members(field: Field) -> Iterator[Field]:
    inner = field.schema if "properties" in field.schema else field.schema.get("items", {})
    needed = inner.get("required", ())
    dot = "[]." if field.schema.get("type") == "array" else "."
    for name, schema in field.members.items():
        member = _field(f"{field.path}{dot}{name}", schema, required=name in needed, changes=field.changes)
        told = _restricted(inner, name) if field.changes else ""
        yield replace(member, changes=told) if told else member


def _restricted(parent: Mapping[str, Any], name: str) -> str:
    """What a rule of the parent says of a member: a rule of an optional member cannot stand at the member itself."""
    told = [rule["rule"] for rule in parent.get(_RULES, ()) if rule.get("fieldPath") == f".{name}"]
    if any("oldSelf.suspend" in rule for rule in told):
        return SUSPENDED
    return NEVER if any("oldSelf" in rule for rule in told) else ""


def _section(field: Field) -> Iterator[str]:
    level = "##" if "." not in field.path else "###"
    yield f"{level} `{field.path}`\n"
    if "description" in field.schema and "." in field.path:
        yield f"{field.schema['description']}\n"
    for member in _members(field):
        yield from _entry(member)
    for rule in _rules(field):
        yield f"- Rule: {rule}\n"
    for member in _members(field):
        if member.members:
            yield from _section(member)


def _entry(field: Field) -> Iterator[str]:
    name = field.path.rpartition(".")[2]
    facts = [_type(field), *_bounds(field.schema), _need(field), field.changes]
    yield f"[`{name}`]{{#{anchor(field.path)}}} · {' · '.join(fact for fact in facts if fact)}"
    text = field.schema.get("description", "")
    more = f" See [below](#{_slug(field.path)})." if field.members else ""
    yield f": {text}{more}\n"


def anchor(path: str) -> str:
    """Where a page can point at a field: `spec-participants-name`."""
    return path.replace("[]", "").replace(".", "-").lower()


def _slug(path: str) -> str:
    """The anchor of a heading, as the forge and the site make it."""
    return "".join(letter for letter in path.lower() if letter.isalnum() or letter in "-_")


def _need(field: Field) -> str:
    if field.required:
        return "required"
    if "default" in field.schema:
        return f"default `{json.dumps(field.schema['default'])}`"
    return "optional" if field.changes else ""


def _type(field: Field) -> str:
    schema = field.schema
    if "x-kubernetes-int-or-string" in schema:
        return "integer or percentage"
    kind = str(schema.get("type", "object"))
    if kind == "array":
        inner = schema["items"]
        kind = f"list of {inner.get('type', 'object')}s"
    elif isinstance(schema.get("additionalProperties"), Mapping):
        kind = "map of strings"
    if schema.get("format") == "date-time":
        kind = "time (RFC 3339)"
    unit = next((unit for ending, unit in _UNITS.items() if ending in field.path.rpartition(".")[2]), "")
    return f"{kind}, in {unit}" if unit else kind


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    if "enum" in schema:
        yield "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if "x-kubernetes-int-or-string" in schema:
        yield f"{schema['minimum']} to {schema['maximum']}, or `{schema['minimum']}%` to `100%`"
    elif "minimum" in schema or "maximum" in schema:
        yield f"{_number(schema, 'minimum')} to {_number(schema, 'maximum')}"
    if "maxLength" in schema and "x-kubernetes-int-or-string" not in schema:
        yield f"{schema.get('minLength', 0)} to {schema['maxLength']} characters"
    if "pattern" in schema and "x-kubernetes-int-or-string" not in schema:
        yield f"`{schema['pattern']}`"
    if "maxItems" in schema or "maxProperties" in schema:
        least = schema.get("minItems", schema.get("minProperties", 0))
        yield f"{least} to {schema.get('maxItems', schema.get('maxProperties'))} entries"
    if _OPEN in schema:
        yield "further members as in Kubernetes"


def _number(schema: Mapping[str, Any], name: str) -> str:
    return f"{schema[name]:.0f}" if name in schema else "any"


def _rules(field: Field) -> Iterator[str]:
    """What is checked over several fields; that something may not change stands at the field."""
    inner = [field.schema, field.schema.get("items", {})]
    for rule in (rule for schema in inner for rule in schema.get(_RULES, ())):
        if "oldSelf" not in rule["rule"]:
            name = rule.get("fieldPath", "").removeprefix(".")
            yield f"`{name}` {rule['message']}." if name else f"{rule['message']}."
