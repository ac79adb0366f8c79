"""What the operator watches, each kind in each place by itself: what ends in one of them goes on in the others.

A place is all namespaces, or one of those that are named. The right to look into it may go, with its namespace or
without, and may come later than the operator (ADR 0016); why no framework does this is in ADR 0018.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fedka.kubernetes.answers import Unauthorized
from fedka.kubernetes.api import Api
from fedka.kubernetes.decoding import decoded, decoded_jobs
from fedka.kubernetes.listing import Collection
from fedka.kubernetes.watching import Watched
from fedka.plan.names import LABEL_UID
from fedka.reconcile.cache import WATCHED
from fedka.reconcile.ports import JOB, POD, ClusterError, Forbidden, Kind, NotFound, WatchEvent
from fedka.reconcile.reach import EVERYWHERE, Reach

LOGGER = logging.getLogger("fedka.kubernetes")
FIRST_BREAK_SECONDS = 1.0
LONGEST_BREAK_SECONDS = 30.0  # until a namespace that has been made anew, or given its Role, is taken up

SELECTORS = {JOB: LABEL_UID, POD: LABEL_UID}
"""What of a kind is watched: the server keeps all other Jobs and pods of the cluster to itself."""

Json = dict[str, Any]


class Watches:
    """Tells `observe` of every change in the places of `reach`, which is told which of them let it in."""

    def __init__(
        self,
        api: Api,
        observe: Callable[[WatchEvent], None],
        reach: Reach,
        *,
        selectors: Mapping[Kind, str] = SELECTORS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._api = api
        self._observe = observe
        self._reach = reach
        self._selectors = selectors
        self._sleep = sleep
        self._shut: set[str] = set()  # places, as has been told
        self._ended = False

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return not self._ended

    async def run(self) -> None:
        """Until cancelled. Raises a ClusterError that watching cannot go on from."""
        places = [(place, kind) for place in self._reach.places for kind in WATCHED]
        following: Sequence[asyncio.Task[None]] = [asyncio.create_task(self._follow(*each)) for each in places]
        try:
            ended, _ = await asyncio.wait(following, return_when=asyncio.FIRST_COMPLETED)
            for each in ended:
                each.result()
        finally:
            self._ended = True
            for each in following:
                each.cancel()
            await asyncio.gather(*following, return_exceptions=True)

    async def _follow(self, place: str, kind: Kind) -> None:
        watched = Watched(
            self._api,
            Collection(
                kind,
                None if place == EVERYWHERE else place,
                self._selectors.get(kind, ""),
                decode=decoded_jobs if kind == JOB else decoded,
            ),
            self._tell,
            keep=_identity,
            listed=lambda: self._let_in(place, kind),
        )
        pause = FIRST_BREAK_SECONDS
        while True:
            try:
                await watched.run()
            except (Forbidden, NotFound) as error:
                if self._reach.covers(place, kind):
                    pause = FIRST_BREAK_SECONDS
                self._refused(place, kind, error)
            except Unauthorized as error:  # nothing can be written either: whether to go on is for the Lease to say
                LOGGER.warning("%s are not watched: %s", kind.plural, error)
            await self._sleep(pause)
            pause = min(LONGEST_BREAK_SECONDS, pause * 2)

    async def _tell(self, event: WatchEvent) -> None:
        self._observe(event)

    def _let_in(self, place: str, kind: Kind) -> None:
        self._reach.gain(place, kind)
        if place in self._shut and self._reach.covers(place):
            self._shut.remove(place)
            LOGGER.info("%s watched now", "everything is" if place == EVERYWHERE else f"namespace {place} is")

    def _refused(self, place: str, kind: Kind, error: ClusterError) -> None:
        self._reach.lose(place, kind)
        if place in self._shut:
            return
        self._shut.add(place)
        if place == EVERYWHERE:
            LOGGER.warning(
                "all trainings are left alone until %s can be watched in all namespaces: give the operator its "
                "ClusterRole (helm upgrade does); %s",
                kind.plural,
                error,
            )
            return
        LOGGER.warning(
            "namespace %s is left alone until it can be watched: give the operator its Role there (helm upgrade "
            "does), or, if it has been deleted for good, take it out of watchNamespaces; %s",
            place,
            error,
        )


def _identity(obj: Json) -> Json:
    """All that is needed to tell that an object has gone, or is as it was: whole ones would take as much memory again
    as all that is known of them.
    """
    kept = ("namespace", "name", "uid", "resourceVersion", "labels")
    return {"metadata": {name: obj["metadata"][name] for name in kept if name in obj["metadata"]}}
