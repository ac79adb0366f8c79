"""What an API server does to an object before it looks at it.

It drops nulls, fills in defaults, and drops what is not declared.

Each function returns a new object and leaves its argument alone.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from fedka.api.markers import Schema

PRESERVE = "x-kubernetes-preserve-unknown-fields"


def apply_defaults(obj: Any, schema: Schema) -> Any:
    """The object with absent members that have a default filled in, at every level that exists (or is defaulted).

    A null member that has a schema counts as absent, as no field here is nullable.
    """
    if isinstance(obj, Mapping):
        known = schema.get("properties", {})
        present = {key: value for key, value in obj.items() if value is not None or _schema_of(key, schema) is None}
        for key, child in known.items():
            if "default" in child and key not in present:
                present[key] = deepcopy(child["default"])
        return _members(present, schema, apply_defaults)
    return _items(obj, schema, apply_defaults)


def prune(obj: Any, schema: Schema) -> Any:
    """The object without members that the schema does not declare."""
    if isinstance(obj, Mapping):
        kept = {key: value for key, value in obj.items() if schema.get(PRESERVE) or _schema_of(key, schema) is not None}
        return _members(kept, schema, prune)
    return _items(obj, schema, prune)


def _schema_of(key: str, schema: Schema) -> Schema | None:
    """The schema of a member, where it has one."""
    declared = schema.get("properties", {}).get(key)
    found: Schema | None = declared if declared is not None else schema.get("additionalProperties")
    return found


def _members(obj: Mapping[str, Any], schema: Schema, change: Callable[[Any, Schema], Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, value in obj.items():
        child = _schema_of(key, schema)
        changed[key] = deepcopy(value) if child is None else change(value, child)
    return changed


def _items(value: Any, schema: Schema, change: Callable[[Any, Schema], Any]) -> Any:
    if isinstance(value, list | tuple) and "items" in schema:
        return [change(item, schema["items"]) for item in value]
    return deepcopy(value)
