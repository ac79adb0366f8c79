"""The watch of namespaces that are named one by one, each by itself: what ends in one of them goes on in the others.

A namespace that is deleted takes the operator's rights in it along, in any order with the rest; one may be named before
it exists, or before it has its Role. Kopf ends with all of its watches at the first that is refused (ADR 0016).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fedka.kubernetes.api import Api
from fedka.kubernetes.listing import Collection
from fedka.kubernetes.watching import Watched
from fedka.reconcile.cache import WATCHED
from fedka.reconcile.ports import ClusterError, Forbidden, Kind, NotFound, WatchEvent
from fedka.reconcile.reach import Reach

LOGGER = logging.getLogger("fedka.kubernetes")
FIRST_BREAK_SECONDS = 1.0
LONGEST_BREAK_SECONDS = 30.0  # until a namespace that has been made anew, or given its Role, is taken up

Json = dict[str, Any]


class NamedNamespaces:
    """Watches what the operator needs to know in these namespaces. `reach` is told which of them let it in."""

    def __init__(
        self,
        api: Api,
        observe: Callable[[WatchEvent], None],
        reach: Reach,
        *,
        selectors: Mapping[Kind, str],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._api = api
        self._observe = observe
        self._reach = reach
        self._selectors = selectors
        self._sleep = sleep
        self._shut: set[str] = set()  # as has been told
        self._stop = asyncio.Event()
        self._ended = False

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return not self._ended

    async def run(self, started: Callable[[], None]) -> None:
        """Until `stop`, or a ClusterError that watching cannot go on from. `started` is called at once."""
        started()
        places = [(namespace, kind) for namespace in self._reach.namespaces for kind in WATCHED]
        following: Sequence[asyncio.Task[None]] = [asyncio.create_task(self._follow(*place)) for place in places]
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((*following, stopping), return_when=asyncio.FIRST_COMPLETED)
            for ended in following:
                if ended.done():
                    ended.result()
        finally:
            self._ended = True
            for task in (*following, stopping):
                task.cancel()
            await asyncio.gather(*following, stopping, return_exceptions=True)

    def stop(self) -> None:
        """Let `run` end."""
        self._stop.set()

    async def _follow(self, namespace: str, kind: Kind) -> None:
        watched = Watched(
            self._api,
            Collection(kind, namespace, self._selectors.get(kind, "")),
            self._tell,
            keep=_identity,
            listed=lambda: self._let_in(namespace, kind),
        )
        pause = FIRST_BREAK_SECONDS
        while True:
            try:
                await watched.run()
            except (Forbidden, NotFound) as error:
                if self._reach.covers(namespace, kind):
                    pause = FIRST_BREAK_SECONDS
                self._refused(namespace, kind, error)
            await self._sleep(pause)
            pause = min(LONGEST_BREAK_SECONDS, pause * 2)

    async def _tell(self, event: WatchEvent) -> None:
        self._observe(event)

    def _let_in(self, namespace: str, kind: Kind) -> None:
        self._reach.gain(namespace, kind)
        if namespace in self._shut and self._reach.covers(namespace):
            self._shut.remove(namespace)
            LOGGER.info("namespace %s is watched now", namespace)

    def _refused(self, namespace: str, kind: Kind, error: ClusterError) -> None:
        self._reach.lose(namespace, kind)
        if namespace not in self._shut:
            self._shut.add(namespace)
            LOGGER.warning(
                "namespace %s is left alone until it can be watched: give the operator its Role there (helm upgrade "
                "does), or, if it has been deleted for good, take it out of watchNamespaces; %s",
                namespace,
                error,
            )


def _identity(obj: Json) -> Json:
    """All that is needed to tell that an object has gone, or is as it was: whole ones would take as much memory again
    as all that is known of them.
    """
    kept = ("namespace", "name", "uid", "resourceVersion", "labels")
    return {"metadata": {name: obj["metadata"][name] for name in kept if name in obj["metadata"]}}
