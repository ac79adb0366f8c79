"""Facts about Kubernetes objects that the cluster and the node of one machine both need."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from fedka.reconcile.ports import (
    FEDERATED_TRAINING,
    JOB,
    KINDS,
    NAMESPACE,
    NETWORK_POLICY,
    POD,
    Cause,
    Invalid,
    Kind,
    Object,
)

Json = dict[str, Any]
Key = tuple[str, str | None, str]
"""Kind, namespace, name."""

_Value = TypeVar("_Value")

HAS_STATUS = frozenset({FEDERATED_TRAINING, JOB, POD, NAMESPACE})
"""Kinds with a status subresource: a status in the object itself is ignored on create and apply."""

HAS_GENERATION = frozenset({FEDERATED_TRAINING, JOB, POD, NETWORK_POLICY})
"""Kinds whose metadata.generation counts changes of the spec."""


def clone(value: _Value) -> _Value:
    """A deep copy of a JSON value; several times faster than `copy.deepcopy`, which every read would pay."""
    if isinstance(value, Mapping):
        return {key: clone(item) for key, item in value.items()}  # type: ignore[return-value]  # a dict is what JSON has
    if isinstance(value, list | tuple):
        return [clone(item) for item in value]  # type: ignore[return-value]  # the same
    return value


def kind_of(obj: Object) -> Kind:
    """The kind an object says it is; `Invalid` if this cluster serves no such kind."""
    kind = KINDS.get(obj.get("kind", ""))
    if kind is None or kind.api_version != obj.get("apiVersion"):
        served = ", ".join(f"{known.api_version} {known.kind}" for known in KINDS.values())
        message = f"no kind {obj.get('kind')!r} in {obj.get('apiVersion')!r}; served are {served}"
        raise Invalid("the object", [Cause("kind", message)])
    return kind


def key_of(kind: Kind, namespace: str | None, name: str) -> Key:
    """What the cluster files an object under."""
    return (kind.kind, namespace if kind.namespaced else None, name)


def describe(kind: Kind, namespace: str | None, name: str) -> str:
    """The object, as a message calls it."""
    return f"{kind.kind} {namespace}/{name}" if kind.namespaced else f"{kind.kind} {name}"


def has_labels(obj: Object, labels: Mapping[str, str] | None) -> bool:
    """Whether the object carries all of these labels."""
    own = obj["metadata"].get("labels") or {}
    return all(own.get(name) == value for name, value in (labels or {}).items())


def controller_of(obj: Object) -> Mapping[str, Any] | None:
    """The owner reference of the one controller, if there is one."""
    references = obj["metadata"].get("ownerReferences") or ()
    return next((reference for reference in references if reference.get("controller")), None)


def timestamp(moment: datetime) -> str:
    """A metav1.Time: whole seconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """What `timestamp` wrote."""
    return datetime.fromisoformat(text)
