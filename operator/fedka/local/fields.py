"""Who owns which field: server-side apply's merge, so that a field left out of an apply goes away as on a server.

An object's fields are a set of paths. A manager that applies owns the paths it names; what it named before and names no
longer is removed, unless somebody else owns it too. Lists are replaced whole, except those that the API declares to be
maps (items told apart by some of their members) or sets. Follows KEP-555 (server-side apply); field ownership by
anything but `create`, `apply` and `apply_status` is not modelled, because the port offers nothing else; what a patch
removes is nobody's any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fedka.local.objects import Json
from fedka.reconcile.ports import Cause, Invalid

_POD = {
    "containers": ("name",),
    "initContainers": ("name",),
    "containers.env": ("name",),
    "containers.volumeMounts": ("mountPath",),
    "containers.ports": ("containerPort", "protocol"),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
}
_EVERY_KIND: Mapping[str, tuple[str, ...]] = {"metadata.ownerReferences": ("uid",), "metadata.finalizers": ()}
LIST_KEYS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "FederatedTraining": {
        "spec.participants": ("name",),
        "status.conditions": ("type",),
        "status.participants.detail": ("name",),
        "status.images": ("name",),
        "status.rounds.history.metrics": ("name",),
        "status.model.metrics": ("name",),
    },
    "Job": {f"spec.template.spec.{path}": keys for path, keys in _POD.items()},
    "Pod": {f"spec.{path}": keys for path, keys in _POD.items()} | {"status.conditions": ("type",)},
}
"""Kind -> list's path -> the members that name an item; no members: a set of values. Any other list is atomic."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list that is a map or a set: the values that name it."""

    names: tuple[Any, ...]

    def __str__(self) -> str:
        return ", ".join(map(repr, self.names))


Path = tuple[str | Item, ...]
Fields = frozenset[Path]


@dataclass(frozen=True, slots=True)
class Owner:
    """A field manager in one of its parts: what it created and what it applied are owned apart, status as well."""

    manager: str
    operation: str
    subresource: str = ""


Owners = Mapping[Owner, Fields]


class Schema:
    """Which lists of a kind are maps or sets."""

    def __init__(self, kind: str) -> None:
        self._keys = {**_EVERY_KIND, **LIST_KEYS.get(kind, {})}

    def fields(self, value: object, path: Path = ()) -> dict[Path, object]:
        """Every field that `value` names, with its value: leaves, empty maps, and items of lists that are maps or sets.

        Raises `Invalid` where two items of such a list have one name.
        """
        if isinstance(value, Mapping) and value:
            parts = (self.fields(item, (*path, name)) for name, item in value.items())
            return {field: leaf for part in parts for field, leaf in part.items()}
        keys = self._list_keys(value, path)
        if keys is None or not value:
            return {path: value}
        found: dict[Path, object] = {}
        for item in value:  # type: ignore[attr-defined]  # keys are given for lists only
            at = (*path, _name(item, keys))
            if at in found:
                raise Invalid("the object", [Cause(_dotted(path), f"Duplicate value: {at[-1]}")])
            found |= {at: True} | (self.fields(item, at) if keys else {})
        return found

    def merged(self, live: object, applied: object, path: Path = ()) -> Any:
        """`live` with all that `applied` says: maps and keyed lists member by member, anything else replaced."""
        if isinstance(live, Mapping) and isinstance(applied, Mapping):
            result = dict(live)
            for name, item in applied.items():
                result[name] = self.merged(live[name], item, (*path, name)) if name in live else item
            return result
        keys = self._list_keys(applied, path)
        if keys is None or not isinstance(live, list) or not isinstance(applied, list):
            return applied
        items = {_name(item, keys): item for item in live}
        for item in applied:
            name = _name(item, keys)
            items[name] = self.merged(items[name], item, (*path, name)) if name in items else item
        return list(items.values())

    def without(self, value: Json, path: Path) -> Json:
        """`value` without one field; a map that is left empty goes with it, as an unset struct does in the API."""
        result = self._without(value, path, ())
        return result if isinstance(result, dict) else {}

    def _child(self, value: object, step: str | Item, at: Path) -> object:
        if isinstance(step, str):
            return value.get(step) if isinstance(value, Mapping) else None
        keys = self._list_keys(value, at)
        if keys is None or not isinstance(value, list):
            return None
        return next((item for item in value if _name(item, keys) == step), None)

    def _without(self, value: object, path: Path, at: Path) -> object:
        """None where nothing is left."""
        if not path:
            return None
        child = self._child(value, path[0], at)
        if child is None:
            return value
        rest = self._without(child, path[1:], (*at, path[0]))
        if isinstance(value, Mapping):
            kept = {name: item for name, item in value.items() if name != path[0]}
            return (kept if rest is None else {**value, path[0]: rest}) or None
        assert isinstance(value, list)
        items = [rest if item is child else item for item in value]
        return [item for item in items if item is not None] or None

    def _list_keys(self, value: object, path: Path) -> tuple[str, ...] | None:
        if not isinstance(value, list):
            return None
        return self._keys.get(_dotted(path))


def _dotted(path: Path) -> str:
    return ".".join(step for step in path if isinstance(step, str))


def _name(item: Any, keys: Sequence[str]) -> Item:
    return Item(tuple(item.get(key) for key in keys) if keys else (item,))


def apply_fields(schema: Schema, live: Json, applied: Json, owners: Owners, owner: Owner) -> tuple[Json, Owners]:
    """The object and the owners after `owner` applied `applied` with force."""
    named, before = schema.fields(applied), schema.fields(live)
    wanted = frozenset(named)
    result = schema.merged(live, applied)
    others = {other: fields for other, fields in owners.items() if other != owner}
    shared = frozenset[Path]().union(*others.values())
    for path in sorted(owners.get(owner, frozenset()) - wanted, key=len):  # an item before the members that name it
        if not _is_owned(path, wanted | shared):
            result = schema.without(result, path)
    result = schema.merged(result, applied)  # an empty list or map that is named stays, though all in it went
    changed = {path for path, value in named.items() if before.get(path) != value}
    remaining = {other: fields - changed for other, fields in others.items()}
    return result, {other: fields for other, fields in remaining.items() if fields} | {owner: wanted}


def remove_field(schema: Schema, live: Json, path: Path, owners: Owners) -> tuple[Json, Owners]:
    """The object and the owners after a patch has removed a field, whoever owned it."""
    remaining = {
        owner: frozenset(field for field in fields if field[: len(path)] != path) for owner, fields in owners.items()
    }
    return schema.without(live, path), {owner: fields for owner, fields in remaining.items() if fields}


def _is_owned(path: Path, fields: frozenset[Path]) -> bool:
    """Whether the field or one below it is: an item stays as long as anybody owns a member of it."""
    return any(field[: len(path)] == path for field in fields)
