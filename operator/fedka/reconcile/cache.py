"""What the watch has told, reduced to what plans read: trainings, and views of their Jobs and pods.

Observing by a LIST for each key would be four times slower; whole objects kept would need several times the memory.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from pydantic_core import to_json

from fedka.api.reasons import ENDS, Phase
from fedka.api.training import FederatedTraining
from fedka.plan.names import LABEL_TRAINING, LABEL_UID
from fedka.plan.snapshot import JobView, PodView
from fedka.reconcile.ports import FEDERATED_TRAINING, JOB, POD, EventType, Kind, Object, WatchEvent
from fedka.reconcile.reading import Fault, packed, parsed, parsed_once, part
from fedka.reconcile.views import job_view, pod_view

LOGGER = logging.getLogger("fedka.reconcile")
WATCHED = (FEDERATED_TRAINING, JOB, POD)
AT_REST = (Phase.PENDING, Phase.SUSPENDED, *ENDS)
"""Phases of trainings that are looked at once in a while: thousands of them may be, and none is kept as a model."""

V = TypeVar("V", JobView, PodView)


class TrainingKey(NamedTuple):
    """What a reconcile is asked for."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class _Held(NamedTuple):
    """A training, packed: as models, thousands that idle would need thirty times the memory."""

    uid: str
    stored: bytes
    resource_version: str
    size: int
    kafka: str
    phase: str


@dataclass(frozen=True, slots=True)
class CachedTraining:
    """A training with what a status write needs: its resourceVersion, and its size in bytes."""

    training: FederatedTraining
    resource_version: str
    size: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A training that is there and that this version does not understand; only its author, or another version of the
    operator, can mend that.
    """

    uid: str


class _Known(NamedTuple):
    """What identifies an object that exists, and the training that it belongs to."""

    namespace: str
    name: str
    labels: tuple[tuple[str, str], ...]


class _Owner(NamedTuple):
    """The training that a child says it belongs to. One of another namespace can belong to none, whatever it says."""

    namespace: str
    uid: str


class _Children(Generic[V]):
    """Views by their training, then by their own UID."""

    def __init__(self) -> None:
        self._by_training: dict[_Owner, dict[str, V]] = {}
        self._owners: dict[str, _Owner] = {}

    def put(self, owner: _Owner, view: V) -> None:
        if self._owners.get(view.uid, owner) != owner:  # anybody may write labels anew
            self.drop(view.uid)
        self._owners[view.uid] = owner
        self._by_training.setdefault(owner, {})[view.uid] = view

    def drop(self, uid: str) -> None:
        owner = self._owners.pop(uid, None)
        if owner is not None:
            del self._by_training[owner][uid]
            if not self._by_training[owner]:
                del self._by_training[owner]

    def of(self, owner: _Owner) -> Iterable[V]:
        return self._by_training.get(owner, {}).values()


class Cache:
    """Fed with watch events; read when a snapshot is taken."""

    def __init__(self) -> None:
        self._trainings: dict[TrainingKey, _Held] = {}
        self._told: dict[TrainingKey, Fault] = {}
        self._jobs: _Children[JobView] = _Children()
        self._pods: _Children[PodView] = _Children()
        self._known: dict[Kind, dict[str, _Known]] = {kind: {} for kind in WATCHED}

    def take(self, event: WatchEvent) -> TrainingKey | None:
        """Note an event; the training that it concerns, if any."""
        self._know(event)
        if event.kind == FEDERATED_TRAINING:
            return self._take_training(event)
        return self._take_child(event)

    def known(self, kind: Kind) -> frozenset[str]:
        """UIDs of all objects of a kind that exist, as far as has been told."""
        return frozenset(self._known[kind])

    def knows(self, kind: Kind, uid: str) -> bool:
        """Whether this object exists, as far as has been told."""
        return uid in self._known[kind]

    def vanished(self, kind: Kind, uids: Iterable[str]) -> Iterator[WatchEvent]:
        """What a watch would have told of objects that have gone."""
        for uid in uids:
            known = self._known[kind].get(uid)
            if known is not None:
                metadata = {"namespace": known.namespace, "name": known.name, "uid": uid, "labels": dict(known.labels)}
                yield WatchEvent(EventType.DELETED, kind, {"metadata": metadata})

    def keys(self) -> list[TrainingKey]:
        """Of all trainings."""
        return list(self._trainings)

    def keys_in(self, namespace: str) -> list[TrainingKey]:
        """Of all trainings there."""
        return [key for key in self._trainings if key.namespace == namespace]

    def phases(self) -> Counter[str]:
        """How many trainings are in each phase."""
        return Counter(held.phase for held in self._trainings.values())

    def kafka_of(self, key: TrainingKey) -> str | None:
        """The name of the Kafka cluster that a training asks for."""
        held = self._trainings.get(key)
        return held.kafka if held is not None else None

    def training(self, key: TrainingKey) -> CachedTraining | Unreadable | None:
        """The training as last told; None where there is none. Of one that is not understood and is being deleted,
        what there is to clean up by.
        """
        held = self._trainings.get(key)
        if held is None:
            return None
        read = parsed(held.stored) if held.phase in AT_REST else parsed_once(held.stored)
        if isinstance(read, FederatedTraining):
            self._told.pop(key, None)
            return CachedTraining(read, held.resource_version, held.size)
        self._tell(key, read)
        if read.remains is None:
            return Unreadable(held.uid)
        return CachedTraining(read.remains, held.resource_version, held.size)

    def jobs(self, namespace: str, uid: str) -> tuple[JobView, ...]:
        """The Jobs of this namespace that are labelled with this training's UID."""
        return tuple(self._jobs.of(_Owner(namespace, uid)))

    def pods(self, namespace: str, uid: str) -> tuple[PodView, ...]:
        """The same for pods."""
        return tuple(self._pods.of(_Owner(namespace, uid)))

    def _tell(self, key: TrainingKey, fault: Fault) -> None:
        """Once, not at each look."""
        if self._told.get(key) == fault:
            return
        self._told[key] = fault
        fate = "it is left alone"
        if fault.remains is not None:
            policy = fault.remains.spec.kafka.reclaim_policy
            fate = f"it is being deleted, and cleaned up after by its id with reclaimPolicy {policy}"
        LOGGER.error("%s is not a training that this version understands: %s; %s", key, fault.sentence, fate)

    def _know(self, event: WatchEvent) -> None:
        metadata = event.object["metadata"]
        if event.type is EventType.DELETED:
            self._known[event.kind].pop(metadata["uid"], None)
            return
        labels = metadata.get("labels") or {}
        ours = tuple((name, labels[name]) for name in (LABEL_TRAINING, LABEL_UID) if name in labels)
        known = _Known(metadata.get("namespace", ""), metadata["name"], ours)
        self._known[event.kind][metadata["uid"]] = known

    def _take_training(self, event: WatchEvent) -> TrainingKey:
        metadata = event.object["metadata"]
        key = TrainingKey(metadata.get("namespace", ""), metadata["name"])
        if event.type is not EventType.DELETED:
            self._trainings[key] = _held(event.object)
        elif key in self._trainings and self._trainings[key].uid == metadata["uid"]:
            del self._trainings[key]
            self._told.pop(key, None)
        return key

    def _take_child(self, event: WatchEvent) -> TrainingKey | None:
        metadata = event.object["metadata"]
        labels = metadata.get("labels") or {}
        namespace, uid, name = metadata.get("namespace", ""), labels.get(LABEL_UID), labels.get(LABEL_TRAINING)
        if not uid or not name:
            return None
        owner = _Owner(namespace, uid)
        if event.kind == JOB:
            _note(self._jobs, owner, event, job_view(event.object))
        elif event.kind == POD:
            _note(self._pods, owner, event, pod_view(event.object))
        return TrainingKey(namespace, name)


def _note(children: _Children[V], owner: _Owner, event: WatchEvent, view: V | None) -> None:
    if event.type is EventType.DELETED or view is None:
        children.drop(event.object["metadata"]["uid"])
    else:
        children.put(owner, view)


def _held(obj: Object) -> _Held:
    metadata = obj["metadata"]
    read = {**obj, "metadata": {name: value for name, value in metadata.items() if name != "managedFields"}}
    text = to_json(read)
    return _Held(
        uid=metadata["uid"],
        stored=packed(text),
        resource_version=metadata.get("resourceVersion", ""),
        size=len(text) + len(to_json(metadata.get("managedFields"))),
        kafka=str(part(obj, "spec", "kafka").get("clusterName", "default")),
        phase=str(part(obj, "status").get("phase", Phase.PENDING)),
    )
