"""Whether the watch has told all there is, before work begins and now and then.

A watch that begins with a LIST of its own says so (`Reach`). Of any other it is asked of the cluster by a LIST, and of
each now and then: one that has quietly died says nothing at all. Only metadata is listed.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from fedka.reconcile.cache import WATCHED, Cache
from fedka.reconcile.ports import Cluster, ClusterUnavailable, Kind, Listing, WatchEvent
from fedka.reconcile.reach import Reach

LOGGER = logging.getLogger("fedka.reconcile")
BARRIER_SECONDS = 1.0
ARRIVAL_SECONDS = 60.0
ARRIVAL_LOOKS = 6


class WatchSilent(Exception):
    """The cluster holds objects that the watch has not told of for a long time: only a new watch can help."""


class Coverage:
    """Compares the cache with the cluster, as far as it is within reach. `tell` takes what the watch should have told.

    `arrival_seconds`: how long an object may exist before it counts as kept back by the watch. `barrier_seconds`: how
    often it is looked whether what is waited for exists still.
    """

    def __init__(
        self,
        *,
        cluster: Cluster,
        cache: Cache,
        tell: Callable[[WatchEvent], None],
        reach: Reach,
        barrier_seconds: float = BARRIER_SECONDS,
        arrival_seconds: float = ARRIVAL_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._tell = tell
        self._reach = reach
        self._barrier_seconds = barrier_seconds
        self._arrival_seconds = arrival_seconds
        self._told = asyncio.Event()
        self.complete = False

    def note(self) -> None:
        """The watch has told something."""
        self._told.set()

    async def reached(self) -> None:
        """Return once the cache knows all that exists; a cluster that does not answer is waited for.

        Raises WatchSilent, or another ClusterError.
        """
        await self._reach.tried()
        if not self._reach.places:
            for kind in WATCHED:
                await self._reached(kind)
        self.complete = True

    async def _reached(self, kind: Kind) -> None:
        time = asyncio.get_running_loop().time
        since, waited_for = time(), frozenset[str]()
        while not await self._told_within(kind, listed := await self._answered(kind)):
            missing = listed - self._cache.known(kind)  # but what has been deleted meanwhile: that is never told of
            if not waited_for or waited_for - missing:
                since, waited_for = time(), missing
            elif time() > since + self._arrival_seconds:
                raise self._silent(kind, missing)

    async def restore(self) -> None:
        """Tell of deletions that the watch has missed. Raises WatchSilent, or a ClusterError."""
        for kind in WATCHED:
            before = self._cache.known(kind)
            listing = await self._cluster.list_metadata(kind)
            listed = self._within_reach(kind, listing)
            for event in list(self._cache.vanished(kind, before - listed)):
                namespace = event.object["metadata"]["namespace"]
                if namespace not in listing.withheld and self._reach.covers(namespace, kind):
                    self._tell(event)
            await self._arrived(kind, listed - self._cache.known(kind))

    async def _told_within(self, kind: Kind, listed: frozenset[str]) -> bool:
        """Whether the cache comes to know these soon."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._barrier_seconds):  # wait_for of Python 3.11 may swallow a cancellation
                while missing := listed - self._cache.known(kind):
                    await self._told_of(kind, next(iter(missing)))
                return True
        return False

    async def _told_of(self, kind: Kind, uid: str) -> None:
        """Any of many will do: looking at all of them at each event would grow with the square of their number."""
        while not self._cache.knows(kind, uid):
            self._told.clear()
            await self._told.wait()

    async def _arrived(self, kind: Kind, missing: frozenset[str]) -> None:
        for _ in range(ARRIVAL_LOOKS):
            if not missing:
                return
            await asyncio.sleep(self._arrival_seconds / ARRIVAL_LOOKS)  # nobody gives notice of what does not come
            missing = missing & await self._listed(kind) - self._cache.known(kind)
        if missing:
            raise self._silent(kind, missing)

    def _silent(self, kind: Kind, missing: frozenset[str]) -> WatchSilent:
        return WatchSilent(
            f"the watch of {kind.plural} has not told of {len(missing)} objects for {self._arrival_seconds:.0f} s"
        )

    async def _answered(self, kind: Kind) -> frozenset[str]:
        while True:
            try:
                return await self._listed(kind)
            except ClusterUnavailable as error:
                LOGGER.warning("what exists is asked for again in %.0f s: %s", self._barrier_seconds, error)
                await asyncio.sleep(self._barrier_seconds)

    async def _listed(self, kind: Kind) -> frozenset[str]:
        return self._within_reach(kind, await self._cluster.list_metadata(kind))

    def _within_reach(self, kind: Kind, listing: Listing) -> frozenset[str]:
        """UIDs; the watch does not tell of what it does not reach, and takes it up again in its own time."""
        found = (obj["metadata"] for obj in listing.objects)
        return frozenset(each["uid"] for each in found if self._reach.covers(each.get("namespace", ""), kind))
