"""What the control plane needs of a cluster, so that it can run on Kubernetes and on one machine alike.

Two adapters implement `Cluster`: the Kubernetes API, and the in-memory cluster of `fedka run`. Both pass one contract
suite (`tests/contract`), which is what allows the reconciler to be tested and tried without an API server.

Objects are plain JSON dictionaries in Kubernetes' own shapes. What an adapter returns belongs to the caller: changing
it changes nothing in the cluster.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object, as the API names it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    def __str__(self) -> str:
        return self.kind


FEDERATED_TRAINING = Kind("fedka.dev/v1alpha1", "FederatedTraining", "federatedtrainings")
JOB = Kind("batch/v1", "Job", "jobs")
POD = Kind("v1", "Pod", "pods")
SECRET = Kind("v1", "Secret", "secrets")
NETWORK_POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
EVENT = Kind("events.k8s.io/v1", "Event", "events")
NAMESPACE = Kind("v1", "Namespace", "namespaces", namespaced=False)

KINDS: Mapping[str, Kind] = {
    kind.kind: kind for kind in (FEDERATED_TRAINING, JOB, POD, SECRET, NETWORK_POLICY, EVENT, NAMESPACE)
}


class EventType(StrEnum):
    """What a watch reports about an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change of one object; `object` is its state after the change, or its last one before it was deleted."""

    type: EventType
    kind: Kind
    object: Object


@dataclass(frozen=True, slots=True)
class Listing:
    """The metadata of objects, each as `{"metadata": ...}`, and the namespaces that did not show theirs: whether there
    are any in those is not known.
    """

    objects: Sequence[dict[str, Any]]
    withheld: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why an object was refused: the field's path, where it is known, and what is wrong with it."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class ClusterError(Exception):
    """The cluster refused a request."""


class NotFound(ClusterError):
    """There is no object, or no namespace, of that name."""


class AlreadyExists(ClusterError):
    """A create met an object of the same name: read it, and decide whether it is yours."""


class Conflict(ClusterError):
    """The object is not the one, or not in the version, that the request named: observe again."""


class Forbidden(ClusterError):
    """The request is not allowed, e.g. a create in a namespace that is being deleted: asking again will not help."""


class NotAdmitted(Forbidden):
    """What the cluster asks before it lets anything in, a policy or a webhook, said no or gave no answer."""


class ClusterUnavailable(ClusterError):
    """No answer, or one that says to come back later: whether the request was carried out is not known."""


class Invalid(ClusterError):
    """The object breaks a rule of its kind: only a changed object can pass."""

    def __init__(self, subject: str, causes: Sequence[Cause]) -> None:
        self.causes = tuple(causes)
        super().__init__(f"{subject} is invalid: " + "; ".join(str(cause) for cause in self.causes))


class Cluster(Protocol):
    """A Kubernetes API, as far as Fedka uses it. Any method may raise a `ClusterError`."""

    async def get(self, kind: Kind, namespace: str | None, name: str) -> dict[str, Any]:
        """One object; `NotFound` if there is none."""
        ...

    async def list_metadata(self, kind: Kind) -> Listing:
        """The metadata of all objects of a kind: a fraction of what `list` costs."""
        ...

    async def list(
        self, kind: Kind, *, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """The objects of a kind in a namespace (`None`: in all) that carry all the labels given."""
        ...

    async def create(self, obj: Object, *, field_manager: str) -> dict[str, Any]:
        """Create, never change: `AlreadyExists` if the name is taken. A status in `obj` is ignored."""
        ...

    async def apply(self, obj: Object, *, field_manager: str) -> dict[str, Any]:
        """Server-side apply with force: create, or own exactly the fields given.

        Fields the manager applied before and leaves out now are removed, unless another manager owns them too. A
        `metadata.uid` or `metadata.resourceVersion` in `obj` must be the live one: `Conflict` otherwise. A status is
        ignored. An apply that changes nothing leaves the resourceVersion alone.

        Beware that a forced apply also takes over a namesake: look at the live object's labels first.
        """
        ...

    async def apply_status(self, obj: Object, *, field_manager: str) -> dict[str, Any]:
        """Server-side apply of `obj["status"]` only; `NotFound` if the object has gone.

        `metadata.resourceVersion` is demanded (`ValueError` without one), and a stale one is a `Conflict`: a status
        write ignores `metadata.uid`, so nothing else keeps it from landing on a later object of the same name.
        """
        ...

    async def add_finalizer(
        self, kind: Kind, namespace: str | None, name: str, *, uid: str, finalizer: str, field_manager: str
    ) -> dict[str, Any]:
        """Others' stay. Use a manager that applies nothing else. `Conflict` if the object of that uid has gone."""
        ...

    async def remove_finalizer(
        self, kind: Kind, namespace: str | None, name: str, *, uid: str, finalizer: str, known: Sequence[str]
    ) -> dict[str, Any]:
        """Take it off, whoever put it there: a manifest that was exported has it too. Others' stay.

        `known` are the finalizers that the object was seen with: `Conflict` if it has others by now, or another uid;
        `NotFound` if it has gone. Taking the last one off an object under deletion ends it.
        """
        ...

    async def delete(self, kind: Kind, namespace: str | None, name: str, *, uid: str) -> None:
        """Delete with Background propagation: dependants follow, and nothing is orphaned.

        `NotFound` if there is none of that name, `Conflict` if it has another uid. An object with finalizers only gets
        its deletionTimestamp.
        """
        ...

    def watch(self, kinds: Sequence[Kind]) -> AsyncGenerator[WatchEvent, None]:
        """What exists as ADDED, then every change, until closed (use `contextlib.aclosing`).

        The order of events is kept per object only, never between objects. An intermediate state may be left out, the
        last one never is.
        """
        ...

    async def record_event(
        self, regarding: Object, *, severity: Literal["Normal", "Warning"], reason: str, action: str, note: str
    ) -> None:
        """Tell the users of `regarding` what happened; the same event again only counts up.

        `reason` and `action` are CamelCase words, `note` is a sentence of at most 1024 bytes (`Invalid` above).
        """
        ...
