"""Which of the watched namespaces can be looked into. The right to do so may go, with its namespace or without it, and
those in others stay.

What cannot be listed is neither empty nor deleted. What was known of it stays known and is left alone, until it can be
looked into again.
"""

import asyncio
from collections.abc import Callable, Sequence

from fedka.reconcile.cache import WATCHED
from fedka.reconcile.ports import JOB, POD, Kind


class Reach:
    """Told by who watches `namespaces` one by one; none of them: all namespaces, always within reach."""

    def __init__(self, namespaces: Sequence[str] = ()) -> None:
        self.namespaces = tuple(namespaces)
        self._lacking = {(namespace, kind) for namespace in namespaces for kind in WATCHED}
        self._not_tried = set(self._lacking)
        self._all_tried = asyncio.Event()
        self._changed: Callable[[str], None] = lambda _namespace: None
        self._note_tried()

    def listen(self, changed: Callable[[str], None]) -> None:
        """Call this with the namespace of which more or less can be seen than before."""
        self._changed = changed

    def gain(self, namespace: str, kind: Kind) -> None:
        """All that there is of this kind has been told."""
        self._note_tried((namespace, kind))
        if (namespace, kind) in self._lacking:
            self._lacking.remove((namespace, kind))
            self._changed(namespace)

    def lose(self, namespace: str, kind: Kind) -> None:
        """It may not be listed."""
        self._note_tried((namespace, kind))
        if (namespace, kind) not in self._lacking:
            self._lacking.add((namespace, kind))
            self._changed(namespace)

    def covers(self, namespace: str, *kinds: Kind) -> bool:
        """Whether all of these kinds that there are in a namespace are known; without kinds: of all."""
        return not any((namespace, kind) in self._lacking for kind in kinds or WATCHED)

    def knows_children(self, namespace: str) -> bool:
        """Whether the Jobs and pods there are known."""
        return self.covers(namespace, JOB, POD)

    async def tried(self) -> None:
        """Return once it is known of each namespace whether it can be looked into."""
        await self._all_tried.wait()

    def _note_tried(self, *places: tuple[str, Kind]) -> None:
        self._not_tried -= set(places)
        if not self._not_tried:
            self._all_tried.set()
