"""Which of the watched places can be looked into. The right to do so may go, with a namespace or without it, and those
in other places stay.

What cannot be listed is neither empty nor deleted. What was known of it stays known and is left alone, until it can be
looked into again.
"""

import asyncio
from collections.abc import Callable, Sequence

from fedka.reconcile.cache import WATCHED
from fedka.reconcile.ports import JOB, POD, Kind

EVERYWHERE = ""
"""The place that is all namespaces."""


class Reach:
    """Told by who watches `places` one by one: namespaces, or EVERYWHERE. None of them: all is within reach, and nobody
    says when all of it has been told.
    """

    def __init__(self, places: Sequence[str] = ()) -> None:
        self.places = tuple(places)
        self._lacking = {(place, kind) for place in places for kind in WATCHED}
        self._not_tried = set(self._lacking)
        self._all_tried = asyncio.Event()
        self._changed: Callable[[str], None] = lambda _place: None
        self._note_tried()

    def listen(self, changed: Callable[[str], None]) -> None:
        """Call this with the place of which more or less can be seen than before."""
        self._changed = changed

    def gain(self, place: str, kind: Kind) -> None:
        """All that there is of this kind has been told."""
        self._note_tried((place, kind))
        if (place, kind) in self._lacking:
            self._lacking.remove((place, kind))
            self._changed(place)

    def lose(self, place: str, kind: Kind) -> None:
        """It may not be listed."""
        self._note_tried((place, kind))
        if (place, kind) not in self._lacking:
            self._lacking.add((place, kind))
            self._changed(place)

    def covers(self, namespace: str, *kinds: Kind) -> bool:
        """Whether all of these kinds that there are in a namespace, or EVERYWHERE, are known; without kinds: of all."""
        place = EVERYWHERE if EVERYWHERE in self.places else namespace
        return not any((place, kind) in self._lacking for kind in kinds or WATCHED)

    @property
    def blind(self) -> bool:
        """Whether all namespaces are to be watched, and cannot be: nothing at all can be done."""
        return EVERYWHERE in self.places and not self.covers(EVERYWHERE)

    def knows_children(self, namespace: str) -> bool:
        """Whether the Jobs and pods there are known."""
        return self.covers(namespace, JOB, POD)

    async def tried(self) -> None:
        """Return once it is known of each place whether it can be looked into."""
        await self._all_tried.wait()

    def _note_tried(self, *tried: tuple[str, Kind]) -> None:
        self._not_tried -= set(tried)
        if not self._not_tried:
            self._all_tried.set()
