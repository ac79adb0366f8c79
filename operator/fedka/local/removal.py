"""How objects leave the in-memory cluster: finalizers, graceful pods, owners' dependants, and whole namespaces."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from fedka.local.objects import Json, timestamp
from fedka.local.store import Store, Stored
from fedka.reconcile.ports import KINDS, NAMESPACE, POD

Propagation = Literal["Background", "Orphan"]


class Removal:
    """Deletes from a store as the API server and its garbage collector do together."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def delete(self, stored: Stored, *, propagation: Propagation, grace_seconds: int | None = None) -> None:
        """Remove the object, or mark it for removal where somebody has to finish something first.

        `grace_seconds` is 0 when the node has ended the pod's process; None asks it to.
        """
        if propagation == "Orphan":
            for dependant in self._store.dependants(stored.obj["metadata"]["uid"]):
                self._disown(dependant, stored.obj["metadata"]["uid"])
        grace = _grace_seconds(stored.obj) if grace_seconds is None else grace_seconds
        if stored.obj["metadata"].get("finalizers") or grace > 0 or _is_namespace(stored.obj):
            stored = self._mark(stored, grace)
        if _is_namespace(stored.obj):
            self._empty(stored.obj["metadata"]["name"])
        elif grace == 0:
            self.finish(stored)

    def finish(self, stored: Stored) -> bool:
        """Forget an object under deletion, if nothing holds it any more, and collect what belonged to it."""
        metadata = stored.obj["metadata"]
        if metadata.get("finalizers"):
            return False
        self._store.remove(stored.obj)
        for dependant in self._store.dependants(metadata["uid"]):
            self.collect(dependant, metadata["uid"])
        self._close(metadata.get("namespace"))
        return True

    def collect(self, stored: Stored, *absent: str) -> None:
        """Delete an object none of whose owners exists; if some do, it only stops naming the absent ones."""
        owners = [reference["uid"] for reference in stored.obj["metadata"].get("ownerReferences") or ()]
        if not owners:
            return
        if not any(map(self._store.knows, owners)):
            self.delete(stored, propagation="Background")
            return
        for uid in absent:
            self._disown(stored, uid)

    def _mark(self, stored: Stored, grace: int) -> Stored:
        """Set deletionTimestamp, once. Marking raises the generation, as on a server."""
        metadata = stored.obj["metadata"]
        if "deletionTimestamp" in metadata:
            return stored
        marks: Json = {"deletionTimestamp": timestamp(self._clock()), "deletionGracePeriodSeconds": grace}
        if "generation" in metadata:
            marks["generation"] = metadata["generation"] + 1
        obj = stored.obj | {"metadata": metadata | marks}
        if _is_namespace(obj):
            obj |= {"status": {"phase": "Terminating"}}
        return self._store.put(Stored(obj, stored.owners))

    def _disown(self, stored: Stored, uid: str) -> None:
        metadata = stored.obj["metadata"]
        kept = [reference for reference in metadata["ownerReferences"] if reference["uid"] != uid]
        self._store.put(Stored(stored.obj | {"metadata": metadata | {"ownerReferences": kept}}, stored.owners))

    def _empty(self, namespace: str) -> None:
        for obj in self._store.objects(namespace=namespace):
            stored = self._store.get((obj["kind"], namespace, obj["metadata"]["name"]))
            if stored is not None:  # an owner's deletion may have taken it along
                self.delete(stored, propagation="Background")
        self._close(namespace)

    def _close(self, namespace: str | None) -> None:
        """The last object out of a namespace under deletion takes the namespace with it."""
        stored = self._store.get((NAMESPACE.kind, None, namespace or ""))
        if stored is None or "deletionTimestamp" not in stored.obj["metadata"]:
            return
        if not self._store.objects(namespace=namespace):
            self._store.remove(stored.obj)


def _is_namespace(obj: Json) -> bool:
    return KINDS[obj["kind"]] == NAMESPACE


def _grace_seconds(obj: Json) -> int:
    """A pod that runs on a node has its grace period; anything else goes at once."""
    finished = obj.get("status", {}).get("phase") in ("Succeeded", "Failed")
    if KINDS[obj["kind"]] != POD or "nodeName" not in obj["spec"] or finished:
        return 0
    return int(obj["spec"]["terminationGracePeriodSeconds"])
