"""The FederatedTraining's CRD as the in-memory cluster's admission: what `fedka run` accepts, a cluster accepts."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fedka.api.defaulting import prune
from fedka.api.errors import InvalidResource
from fedka.api.structural import training_schema
from fedka.api.validation import admit, admit_status
from fedka.local.objects import Json, describe
from fedka.reconcile.ports import FEDERATED_TRAINING, Cause, Invalid


class CrdAdmission:
    """Schema, defaults, pruning and CEL rules of the generated CRD."""

    def admit(self, new: Json, old: Json | None) -> Json:
        """See `Admission.admit`."""
        return _judged(new, lambda: admit(new, old))

    def admit_status(self, new: Json, old: Json) -> Json:
        """See `Admission.admit_status`.

        A server drops undeclared members of a status that is put, but refuses them in an apply, the one way to write
        a status here. What an earlier version has stored is dropped.
        """
        undeclared = set(_undeclared(new)) - set(_undeclared(old))
        if undeclared:
            causes = [Cause(path, "field not declared in schema") for path in sorted(undeclared)]
            raise Invalid(_subject(new), causes)
        return _judged(new, lambda: admit_status(new, old))


def _judged(new: Json, judge: Callable[[], Json]) -> Json:
    try:
        return judge()
    except InvalidResource as error:
        causes = [Cause(each.path, "; ".join(filter(None, (each.problem, each.fix)))) for each in error.errors]
        raise Invalid(_subject(new), causes) from error


def _subject(obj: Json) -> str:
    return describe(FEDERATED_TRAINING, obj["metadata"].get("namespace"), obj["metadata"].get("name", ""))


def _undeclared(obj: Json) -> Iterator[str]:
    status = obj.get("status") or {}
    return _missing(status, prune(status, training_schema()["properties"]["status"]), "status")


def _missing(before: Any, after: Any, path: str) -> Iterator[str]:
    """Paths of what is in `before` only."""
    if isinstance(before, Mapping):
        for name, value in before.items():
            if name in after:
                yield from _missing(value, after[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(before, list):
        for kept, item in zip(before, after, strict=True):
            yield from _missing(kept, item, path)
