"""The training in a state directory, so that a run which was stopped goes on where it was.

A run is known by its UID: its topics carry it. The in-memory cluster forgets the resource with the process, so the
resource is kept in a file beside Kafka's data; everything else is found again, as after any restart of the operator.
"""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from pydantic import ValidationError

from fedka.api.training import FederatedTraining
from fedka.local.admission import Admission
from fedka.local.cluster import InMemoryCluster
from fedka.local.disk import is_full, no_space
from fedka.local.fields import Owner, Schema
from fedka.local.objects import Json
from fedka.local.store import Stored
from fedka.reconcile.apply import FINALIZER_FIELD_MANAGER, STATUS_FIELD_MANAGER
from fedka.reconcile.ports import FEDERATED_TRAINING, EventType, WatchEvent
from fedka.whole_file import replace_text

FIELD_MANAGER = "fedka-run"


class SavedTrainingUnusable(Exception):
    """The state directory holds another training, or a file that cannot be read."""


class TrainingNotSaved(SavedTrainingUnusable):
    """The file cannot be written: what happens from now on would be forgotten."""


class SavedTraining:
    """The file. Replaced as a whole, so that a crash leaves the old one or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Json | None:
        """The resource with its status; None where no run has been here. Raises SavedTrainingUnusable."""
        try:
            saved: Any = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise SavedTrainingUnusable(
                f"{self._path} cannot be read ({error}): give another --state-dir, or remove the file to begin anew"
            ) from error
        if not isinstance(saved, dict) or saved.get("kind") != FEDERATED_TRAINING.kind:
            raise SavedTrainingUnusable(f"{self._path} holds no training: give another --state-dir")
        try:
            FederatedTraining.from_object(saved)
        except ValidationError as error:  # a newer version wrote it, or somebody by hand
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(name) for name in first["loc"])
            raise SavedTrainingUnusable(
                f"{self._path} holds a training that this version does not understand ({where}: {first['msg']}): "
                "take it up with the version that wrote it, or give another --state-dir"
            ) from None
        return saved

    def store(self, training: Json) -> None:
        """Keep this state of it. Raises TrainingNotSaved; the file is then as it was."""
        try:
            replace_text(self._path, json.dumps(training))
        except OSError as error:
            full = is_full(error)
            why = no_space(self._path.parent) if full else f"{self._path} cannot be written: {error.strerror}"
            raise TrainingNotSaved(why) from error


class SavingCluster(InMemoryCluster):
    """A cluster of one training, which it remembers."""

    def __init__(
        self,
        saved: SavedTraining,
        *,
        namespace: str,
        clock: Callable[[], datetime],
        random: Random,
        admission: Admission,
        unsaved: Callable[[TrainingNotSaved], None],
    ) -> None:
        """`unsaved` is told each time that a change could not be saved."""
        super().__init__(clock=clock, random=random, admission=admission, namespaces=(namespace,))
        self._saved = saved
        self._namespace = namespace
        self._unsaved = unsaved
        self.listen(self._keep)

    async def submit(self, training: Json) -> Json:
        """Apply the training as `kubectl apply` does, over what was saved of it. Raises SavedTrainingUnusable, or
        Invalid for a change that a run under way does not allow.
        """
        name = training["metadata"]["name"]
        before = self._saved.load()
        if before is not None:
            self._restore(before, name)
        metadata = {**training["metadata"], "namespace": self._namespace}
        return await self.apply({**training, "metadata": metadata}, field_manager=FIELD_MANAGER)

    def _restore(self, before: Json, name: str) -> None:
        metadata = before["metadata"]
        if (metadata.get("namespace"), metadata.get("name")) != (self._namespace, name):
            raise SavedTrainingUnusable(
                f"the state directory belongs to training {metadata.get('namespace')}/{metadata.get('name')}, "
                f"not to {self._namespace}/{name}: give another --state-dir"
            )
        owned = {
            Owner(FIELD_MANAGER, "Apply"): {"spec": before["spec"]},
            Owner(STATUS_FIELD_MANAGER, "Apply", "status"): {"status": before.get("status") or {}},
            Owner(FINALIZER_FIELD_MANAGER, "Apply"): {"metadata": {"finalizers": metadata.get("finalizers") or []}},
        }
        schema = Schema(FEDERATED_TRAINING.kind)
        self._store.put(Stored(before, {owner: frozenset(schema.fields(part)) for owner, part in owned.items()}))

    def _keep(self, event: WatchEvent, _before: Json | None) -> None:
        if event.kind == FEDERATED_TRAINING and event.type is not EventType.DELETED:
            try:
                self._saved.store(dict(event.object))
            except TrainingNotSaved as error:  # whoever made the change must not be the one who fails
                self._unsaved(error)
