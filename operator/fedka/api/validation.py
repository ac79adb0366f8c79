"""Judges a FederatedTraining as an API server with its CRD does: the in-memory cluster and `fedka validate` use it.

The schema is that of the generated CRD, and so are the CEL rules: what passes here passes there.
"""

from collections.abc import Mapping
from typing import Any

from fedka.api.defaulting import apply_defaults, prune
from fedka.api.errors import FieldError, InvalidResource
from fedka.api.markers import Schema
from fedka.api.rule_engine import check_rules
from fedka.api.structural import metadata_schema, training_schema
from fedka.api.structure import check_structure
from fedka.api.training import API_VERSION, KIND

# Written by the API server, of no use to Fedka.
_SERVER_METADATA = ("managedFields", "generateName", "selfLink", "deletionGracePeriodSeconds")


def validate_object(new: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> list[FieldError]:
    """All errors of a resource, empty where there is none; `old` is what it replaces (an update)."""
    return _errors(_defaulted(new), None if old is None else _defaulted(old))


def admit(new: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The object as it is stored: with defaults, and nothing in it that the CRD does not know.

    Unknown members of the spec are refused, as kubectl and server-side apply do; those of the status are dropped.
    Raises InvalidResource with every error found.
    """
    admitted = _defaulted(new)
    errors = _errors(admitted, None if old is None else _defaulted(old))
    if errors:
        raise InvalidResource(errors)
    return admitted


def admit_status(new: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The object as it is stored by a write to the status subresource: only the status is looked at.

    Members that the schema does not know are dropped. Raises InvalidResource for what is out of bounds.
    """
    schema = _status_schema()
    status = prune(apply_defaults(new.get("status") or {}, schema), schema)
    errors = list(check_structure(status, schema, "status"))
    before = None if old is None else old.get("status")
    if errors := errors or list(check_rules(status, before, schema, "status")):
        raise InvalidResource(errors)
    return {**new, "status": status}


def _status_schema() -> Schema:
    schema: Schema = training_schema()["properties"]["status"]
    return schema


def _defaulted(obj: Mapping[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = apply_defaults(obj, training_schema())
    if isinstance(filled.get("status"), Mapping):
        filled["status"] = prune(filled["status"], _status_schema())
    return filled


def _errors(new: dict[str, Any], old: dict[str, Any] | None) -> list[FieldError]:
    errors = [*_identity_errors(new), *_metadata_errors(new.get("metadata")), *check_structure(new, training_schema())]
    # As on the server, rules run on what has the right shape only: they could not be evaluated on anything else.
    return errors or list(check_rules(new, old, training_schema()))


def _identity_errors(obj: Mapping[str, Any]) -> list[FieldError]:
    wanted = {"apiVersion": API_VERSION, "kind": KIND}
    return [
        FieldError(name, f"must be {value}, not {obj.get(name) or 'absent'}", f"write {name}: {value}")
        for name, value in wanted.items()
        if obj.get(name) != value
    ]


def _metadata_errors(metadata: Any) -> list[FieldError]:
    if not isinstance(metadata, Mapping) or not metadata.get("name"):
        return [FieldError("metadata.name", "is missing", "a DNS label of at most 40 characters")]
    judged = {name: value for name, value in metadata.items() if name not in _SERVER_METADATA and value is not None}
    return list(check_structure(judged, metadata_schema(), "metadata"))
