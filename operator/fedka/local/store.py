"""The in-memory cluster's memory: objects, one revision counter, and those who listen to changes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fedka.local.fields import Owners
from fedka.local.objects import Json, Key, key_of
from fedka.reconcile.ports import KINDS, EventType, Kind, WatchEvent

Listener = Callable[[WatchEvent, Json | None], None]
"""Called with a change and the object as it was before it (None: there was none)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object, and who owns which of its fields. Never changed in place: a change is another `Stored`."""

    obj: Json
    owners: Owners


def own_key(obj: Json) -> Key:
    """What an object is filed under."""
    metadata = obj["metadata"]
    return key_of(KINDS[obj["kind"]], metadata.get("namespace"), metadata["name"])


class Store:
    """Objects by key. Every change gets the next revision as its resourceVersion and is told to all listeners."""

    def __init__(self) -> None:
        self.revision = 0
        self._stored: dict[Key, Stored] = {}
        self._keys: dict[str, Key] = {}
        self._listeners: list[Listener] = []

    def get(self, key: Key) -> Stored | None:
        """The object of that name, if there is one."""
        return self._stored.get(key)

    def knows(self, uid: str) -> bool:
        """Whether an object of that uid exists."""
        return uid in self._keys

    def objects(self, kind: Kind | None = None, namespace: str | None = None) -> list[Json]:
        """Objects in the order of their names, of one kind and namespace or of all; not copies."""
        return [
            stored.obj
            for key, stored in sorted(self._stored.items(), key=lambda entry: tuple(map(str, entry[0])))
            if (kind is None or key[0] == kind.kind) and (namespace is None or key[1] == namespace)
        ]

    def dependants(self, uid: str) -> Iterator[Stored]:
        """Objects that name the owner of that uid."""
        for stored in list(self._stored.values()):
            references = stored.obj["metadata"].get("ownerReferences") or ()
            if any(reference["uid"] == uid for reference in references):
                yield stored

    def put(self, stored: Stored) -> Stored:
        """Store a new or changed object; the one returned carries its resourceVersion."""
        key = own_key(stored.obj)
        before = self._stored.get(key)
        stored = Stored(self._stamped(stored.obj), stored.owners)
        self._stored[key] = stored
        self._keys[stored.obj["metadata"]["uid"]] = key
        self._tell(EventType.MODIFIED if before else EventType.ADDED, stored.obj, before.obj if before else None)
        return stored

    def remove(self, obj: Json) -> None:
        """Forget an object."""
        before = self._stored.pop(own_key(obj))
        del self._keys[obj["metadata"]["uid"]]
        self._tell(EventType.DELETED, self._stamped(obj), before.obj)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` at every change until the function returned is called. It must not change the store."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _stamped(self, obj: Json) -> Json:
        self.revision += 1
        return obj | {"metadata": obj["metadata"] | {"resourceVersion": str(self.revision)}}

    def _tell(self, event: EventType, obj: Json, before: Json | None) -> None:
        for listener in list(self._listeners):
            listener(WatchEvent(event, KINDS[obj["kind"]], obj), before)
