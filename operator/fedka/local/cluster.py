"""A Kubernetes API in memory: what `fedka run` stores its objects in, and what the reconciler's tests run on.

It is worth something only as far as it refuses what a real server refuses, so every behaviour here is pinned by the
contract suite in `tests/contract`. Every request gives way to other tasks once before it is served, so that two writers
do race; within one request nothing else runs. Dependants of a deleted owner go at once; on a server it takes moments.
"""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any, Literal

from fedka.local.admission import Admission, Rules
from fedka.local.fields import Item, Owner, Owners, Schema, apply_fields, remove_field
from fedka.local.objects import (
    HAS_GENERATION,
    HAS_STATUS,
    Json,
    clone,
    describe,
    has_labels,
    key_of,
    kind_of,
    timestamp,
)
from fedka.local.removal import Propagation, Removal
from fedka.local.store import Listener, Store, Stored
from fedka.reconcile.event_objects import event_object, seen_again
from fedka.reconcile.ports import (
    EVENT,
    JOB,
    NAMESPACE,
    AlreadyExists,
    Conflict,
    EventType,
    Forbidden,
    Kind,
    Listing,
    NotFound,
    Object,
    WatchEvent,
)

_STATUS = "status"
_OWNED_METADATA = ("labels", "annotations", "ownerReferences", "finalizers")


class InMemoryCluster:
    """The `Cluster` port on a dictionary. One event loop, one thread."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        random: Random,
        admission: Admission,
        namespaces: Iterable[str] = ("default",),
        reporter: str = "fedka-operator",
    ) -> None:
        self._clock = clock
        self._random = random
        self._rules = Rules(admission)
        self._reporter = reporter
        self._store = Store()
        self._removal = Removal(self._store, clock)
        for name in namespaces:
            namespace = {"apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.kind, "metadata": {"name": name}}
            self._insert(NAMESPACE, namespace, Owner("cluster", "Update"))

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every change, from within the change; the function returned ends it."""
        return self._store.listen(listener)

    async def get(self, kind: Kind, namespace: str | None, name: str) -> Json:
        """See `Cluster.get`."""
        await asyncio.sleep(0)
        return clone(self._find(kind, namespace, name).obj)

    async def list(
        self, kind: Kind, *, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[Json]:
        """See `Cluster.list`."""
        await asyncio.sleep(0)
        return [clone(obj) for obj in self._store.objects(kind, namespace) if has_labels(obj, labels)]

    async def list_metadata(self, kind: Kind) -> Listing:
        """See `Cluster.list_metadata`."""
        await asyncio.sleep(0)
        return Listing([{"metadata": clone(obj["metadata"])} for obj in self._store.objects(kind)])

    async def create(self, obj: Object, *, field_manager: str) -> Json:
        """See `Cluster.create`."""
        await asyncio.sleep(0)
        return self._insert(kind_of(obj), obj, Owner(field_manager, "Update"))

    async def apply(self, obj: Object, *, field_manager: str) -> Json:
        """See `Cluster.apply`."""
        await asyncio.sleep(0)
        kind, metadata = kind_of(obj), obj["metadata"]
        live = self._store.get(key_of(kind, metadata.get("namespace"), metadata["name"]))
        owner = Owner(field_manager, "Apply")
        _check_precondition(kind, metadata, live)
        if live is None:
            return self._insert(kind, obj, owner)
        merged, owners = apply_fields(Schema(kind.kind), live.obj, _owned_part(kind, obj), live.owners, owner)
        return self._update(kind, live, self._rules.admit(kind, merged, live.obj), owners)

    async def apply_status(self, obj: Object, *, field_manager: str) -> Json:
        """See `Cluster.apply_status`."""
        await asyncio.sleep(0)
        kind, metadata = kind_of(obj), obj["metadata"]
        if not metadata.get("resourceVersion"):
            raise ValueError("a status write needs metadata.resourceVersion, or it may land on a namesake")
        live = self._find(kind, metadata.get("namespace"), metadata["name"])
        _check_precondition(kind, {"resourceVersion": metadata["resourceVersion"]}, live)
        owner = Owner(field_manager, "Apply", _STATUS)
        status = {_STATUS: clone(obj.get(_STATUS, {}))}
        merged, owners = apply_fields(Schema(kind.kind), live.obj, status, live.owners, owner)
        return self._update(kind, live, self._rules.admit_status(kind, merged, live.obj), owners)

    async def add_finalizer(
        self, kind: Kind, namespace: str | None, name: str, *, uid: str, finalizer: str, field_manager: str
    ) -> Json:
        """See `Cluster.add_finalizer`."""
        metadata = {"namespace": namespace, "name": name, "uid": uid, "finalizers": [finalizer]}
        partial = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
        return await self.apply(partial, field_manager=field_manager)

    async def remove_finalizer(
        self, kind: Kind, namespace: str | None, name: str, *, uid: str, finalizer: str, known: Sequence[str]
    ) -> Json:
        """See `Cluster.remove_finalizer`."""
        await asyncio.sleep(0)
        live = self._find(kind, namespace, name)
        _check_precondition(kind, {"namespace": namespace, "name": name, "uid": uid}, live)
        if list(known) != live.obj["metadata"].get("finalizers", []):
            raise Conflict(f"{describe(kind, namespace, name)} has other finalizers by now; observe again")
        path = ("metadata", "finalizers", Item((finalizer,)))
        left, owners = remove_field(Schema(kind.kind), live.obj, path, live.owners)
        return self._update(kind, live, self._rules.admit(kind, left, live.obj), owners)

    async def delete(self, kind: Kind, namespace: str | None, name: str, *, uid: str) -> None:
        """See `Cluster.delete`."""
        await self.raw_delete(kind, namespace, name, uid=uid, propagation="Background")

    async def raw_delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        propagation: Propagation | None = None,
        grace_seconds: int | None = None,
    ) -> None:
        """DELETE as the API has it, for what is not the operator: a Job orphans its pods unless told otherwise."""
        await asyncio.sleep(0)
        stored = self._find(kind, namespace, name)
        _check_precondition(kind, {"uid": uid, "namespace": namespace, "name": name}, stored)
        default: Propagation = "Orphan" if kind == JOB else "Background"
        self._removal.delete(stored, propagation=propagation or default, grace_seconds=grace_seconds)

    async def watch(self, kinds: Sequence[Kind]) -> AsyncGenerator[WatchEvent, None]:
        """See `Cluster.watch`. A slow reader costs memory, never events."""
        changes: asyncio.Queue[WatchEvent] = asyncio.Queue()
        wanted = frozenset(kinds)

        def enqueue(event: WatchEvent, _before: Json | None) -> None:
            if event.kind in wanted:
                changes.put_nowait(event)

        for kind in kinds:
            for obj in self._store.objects(kind):
                changes.put_nowait(WatchEvent(EventType.ADDED, kind, obj))
        stop = self._store.listen(enqueue)
        try:
            while True:
                event = await changes.get()
                yield WatchEvent(event.type, event.kind, clone(event.object))
        finally:
            stop()

    async def record_event(
        self,
        regarding: Object,
        *,
        severity: Literal["Normal", "Warning"],
        reason: str,
        action: str,
        note: str,
    ) -> None:
        """See `Cluster.record_event`."""
        await asyncio.sleep(0)
        now, owner = self._clock(), Owner(self._reporter, "Update")
        by = self._reporter
        event = event_object(
            regarding, severity=severity, reason=reason, action=action, note=note, reporter=by, instance=by, now=now
        )
        known = self._store.get(key_of(EVENT, event["metadata"]["namespace"], event["metadata"]["name"]))
        if known is None:
            self._insert(EVENT, event, owner)
        else:
            self._update(EVENT, known, seen_again(known.obj, now), known.owners)

    def _find(self, kind: Kind, namespace: str | None, name: str) -> Stored:
        stored = self._store.get(key_of(kind, namespace, name))
        if stored is None:
            raise NotFound(f"{describe(kind, namespace, name)} does not exist")
        return stored

    def _insert(self, kind: Kind, obj: Object, owner: Owner) -> Json:
        draft = clone({name: value for name, value in obj.items() if name != _STATUS or kind not in HAS_STATUS})
        metadata = draft["metadata"]
        name = describe(kind, metadata.get("namespace"), metadata.get("name", ""))
        self._check_namespace(kind, metadata.get("namespace"), name)
        if self._store.get(key_of(kind, metadata.get("namespace"), metadata.get("name", ""))) is not None:
            raise AlreadyExists(f"{name} exists already; read it to see whose it is")
        metadata["uid"] = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        metadata["creationTimestamp"] = timestamp(self._clock())
        if kind in HAS_GENERATION:
            metadata["generation"] = 1
        fields = frozenset(Schema(kind.kind).fields(_owned_part(kind, obj)))
        stored = self._store.put(Stored(self._rules.admit(kind, draft, None), {owner: fields}))
        self._removal.collect(stored)
        return clone(stored.obj)

    def _update(self, kind: Kind, live: Stored, obj: Json, owners: Owners) -> Json:
        if obj == live.obj and owners == live.owners:
            return clone(live.obj)
        metadata = obj["metadata"]
        if kind in HAS_GENERATION and obj.get("spec") != live.obj.get("spec"):
            obj = obj | {"metadata": metadata | {"generation": metadata["generation"] + 1}}
        stored = self._store.put(Stored(clone(obj), owners))
        if "deletionTimestamp" in metadata and "deletionTimestamp" in live.obj["metadata"]:
            self._end_if_released(kind, live, stored)
        return clone(stored.obj)

    def _end_if_released(self, kind: Kind, live: Stored, stored: Stored) -> None:
        """The last finalizer taken off ends an object under deletion; a graceful pod waits for its node."""
        held, holds = (bool(each.obj["metadata"].get("finalizers")) for each in (live, stored))
        if held and not holds and kind != NAMESPACE:
            self._removal.finish(stored)

    def _check_namespace(self, kind: Kind, namespace: str | None, subject: str) -> None:
        if not kind.namespaced:
            return
        stored = self._store.get(key_of(NAMESPACE, None, namespace or ""))
        if stored is None:
            raise NotFound(f"{subject}: namespace {namespace!r} does not exist; create it first")
        if "deletionTimestamp" in stored.obj["metadata"]:
            raise Forbidden(f"{subject}: namespace {namespace!r} is being terminated, nothing can be created in it")


def _owned_part(kind: Kind, obj: Object) -> Json:
    """What a manager owns by writing `obj`: all but its identity, and the status where that is written apart."""
    apart = {"apiVersion", "kind", "metadata"} | ({_STATUS} if kind in HAS_STATUS else set())
    part: Json = {name: value for name, value in obj.items() if name not in apart}
    metadata = {name: value for name, value in obj["metadata"].items() if name in _OWNED_METADATA}
    return clone(part | ({"metadata": metadata} if metadata else {}))


def _check_precondition(kind: Kind, metadata: Mapping[str, Any], live: Stored | None) -> None:
    """Whatever of uid and resourceVersion is named must be the live object's."""
    subject = describe(kind, metadata.get("namespace"), metadata.get("name", ""))
    for field in ("uid", "resourceVersion"):
        expected = metadata.get(field)
        actual = live.obj["metadata"][field] if live else None
        if expected and expected != actual:
            raise Conflict(f"{subject}: {field} {expected} was asked for, but it is {actual or 'gone'}; observe again")
