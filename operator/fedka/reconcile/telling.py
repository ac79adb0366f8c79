"""Tells a training's users what happened: in Events, and warnings in the operator's log as well.

An Event is news, not state: one that cannot be recorded is lost, and must not keep the operator from its work.
"""

import logging
from collections.abc import Callable, Iterable

from fedka.plan.parts import EventNote
from fedka.reconcile.ports import Cluster, ClusterError, Object

LOGGER = logging.getLogger("fedka.reconcile")
MOST_NOTE_BYTES = 1024  # an API server refuses a longer one; it says characters, and counts bytes


class Teller:
    """About one training."""

    def __init__(self, cluster: Cluster, regarding: Object, *, check_leader: Callable[[], None]) -> None:
        self._cluster = cluster
        self._regarding = regarding
        self._check_leader = check_leader

    async def tell(self, events: Iterable[EventNote]) -> None:
        """Record each of them; one that fails is logged. Raises NotLeaderError."""
        training = f"{self._regarding['metadata']['namespace']}/{self._regarding['metadata']['name']}"
        for event in events:
            if event.severity == "Warning":
                LOGGER.warning("%s: %s: %s", training, event.reason, event.note)
            self._check_leader()
            try:
                await self._cluster.record_event(
                    self._regarding,
                    severity=event.severity,
                    reason=event.reason,
                    action=event.action,
                    note=_cut(event.note),
                )
            except ClusterError as error:  # as in a namespace that is being deleted, where nothing can be created
                LOGGER.warning("%s: event %s (%s) was not recorded: %s", training, event.reason, event.note, error)


def _cut(note: str) -> str:
    """As much of it as an Event may hold."""
    return note.encode()[:MOST_NOTE_BYTES].decode(errors="ignore")
