"""Pydantic's JSON schema made into a structural schema, the only kind that a CustomResourceDefinition may hold.

Structural means: no references, one type at each place, no unions. Absent is said by leaving a member out, so the
`null` branches that Python's `| None` brings are dropped with their null defaults.
"""

from functools import cache
from typing import Any

from pydantic import BaseModel

from fedka.api.markers import Schema
from fedka.api.training import FederatedTraining, ObjectMeta

# `additionalProperties: false` may not stand beside properties; pruning and strict decoding do its work.
_DROPPED = frozenset({"title", "additionalProperties", "$defs", "const", "default"})
# The order a reader looks for them in; what is not named here comes before the members.
_FIRST = ("type", "description", "default", "enum", "format", "minimum", "maximum", "minLength", "maxLength", "pattern")
_LAST = ("required", "properties", "additionalProperties", "items")


class NotStructuralError(TypeError):
    """A model has a field that no structural schema can say."""


def structural_schema(model: type[BaseModel]) -> Schema:
    """The structural schema of a model, self-contained."""
    source = model.model_json_schema(by_alias=True, mode="validation")
    return _convert(source, source.get("$defs", {}), model.__name__)


def _convert(node: Schema, definitions: dict[str, Schema], where: str) -> Schema:
    """One level and all below it."""
    node = _without_null(_resolve(node, definitions), definitions, where)
    if "anyOf" in node or "oneOf" in node or "allOf" in node:
        raise NotStructuralError(f"{where}: a union cannot be said in a structural schema; use one type or a marker")
    out = {key: value for key, value in node.items() if key not in _DROPPED}
    if "const" in node:
        out["enum"] = [node["const"]]
    if "default" in node and node["default"] is not None:
        out["default"] = _without_nulls(node["default"])
    if "properties" in node:
        out["properties"] = {
            name: _convert(child, definitions, f"{where}.{name}") for name, child in node["properties"].items()
        }
    if isinstance(node.get("additionalProperties"), dict):
        out["additionalProperties"] = _convert(node["additionalProperties"], definitions, f"{where}[*]")
    if "items" in node:
        out["items"] = _convert(node["items"], definitions, f"{where}[]")
    return _ordered(out)


def _ordered(node: Schema) -> Schema:
    middle = sorted(key for key in node if key not in _FIRST and key not in _LAST)
    return {key: node[key] for key in (*_FIRST, *middle, *_LAST) if key in node}


def _resolve(node: Schema, definitions: dict[str, Schema]) -> Schema:
    """The node with its reference replaced by what it refers to; what stands beside the reference wins."""
    if "$ref" not in node:
        return node
    target = definitions[node["$ref"].rsplit("/", 1)[-1]]
    beside = {key: value for key, value in node.items() if key != "$ref"}
    return _merge(target, beside)


def _merge(inner: Schema, outer: Schema) -> Schema:
    """Both, the outer one winning; the rules of both are kept."""
    both = {**inner, **outer}
    key = "x-kubernetes-validations"
    if key in inner and key in outer:
        both[key] = [*inner[key], *outer[key]]
    return both


def _without_null(node: Schema, definitions: dict[str, Schema], where: str) -> Schema:
    """`X | None` as X."""
    branches = node.get("anyOf")
    if branches is None:
        return node
    real = [branch for branch in branches if branch.get("type") != "null"]
    if len(real) != 1:
        raise NotStructuralError(f"{where}: a union of {len(real)} types cannot be said in a structural schema")
    outer = {key: value for key, value in node.items() if key != "anyOf"}
    return _without_null(_merge(_resolve(real[0], definitions), outer), definitions, where)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


@cache
def training_schema() -> Schema:
    """The schema of the resource as the CRD holds it: metadata is the API server's own business there."""
    schema = structural_schema(FederatedTraining)
    schema["properties"]["metadata"] = {"type": "object"}
    schema["properties"]["apiVersion"] = {"type": "string"}
    schema["properties"]["kind"] = {"type": "string"}
    schema["required"] = ["spec"]
    # The operator writes a status whole; a default there would only be a second opinion.
    schema["properties"]["status"] = _without_defaults(schema["properties"]["status"])
    return schema


def _without_defaults(schema: Schema) -> Schema:
    return {
        key: {name: _without_defaults(child) for name, child in value.items()}
        if key == "properties"
        else _without_defaults(value)
        if key == "items"
        else value
        for key, value in schema.items()
        if key != "default"
    }


@cache
def metadata_schema() -> Schema:
    """What the API server demands of metadata, as far as the models know it."""
    return structural_schema(ObjectMeta)
