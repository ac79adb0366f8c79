"""A cluster seen as a busy one is seen: through caches that lag, and watches that overtake one another.

For tests of the reconciler, which has to come to the same end whatever it was shown in between. Writes go straight to
the cluster, which judges them by its present state: what was decided on stale news meets a Conflict, as it should.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from random import Random
from typing import Literal

from fedka.local.cluster import InMemoryCluster
from fedka.local.objects import Json, Key, clone, describe, has_labels, key_of
from fedka.local.store import own_key
from fedka.reconcile.ports import Kind, Listing, NotFound, Object, WatchEvent


class UnreliableCluster:
    """The `Cluster` port on an in-memory cluster, with stale reads and events out of order.

    A read is stale with probability `stale_reads`: it shows the cluster as it was up to `lag` changes ago. A watch
    holds an event back with probability `late_events` while others come, at most `lag` of them; those of one object
    stay in order, and none is lost. After `heal` there are no more faults.
    """

    def __init__(
        self, inner: InMemoryCluster, *, random: Random, stale_reads: float, late_events: float, lag: int = 8
    ) -> None:
        self._inner = inner
        self._random = random
        self._stale_reads = stale_reads
        self._late_events = late_events
        self._lag = lag
        self._history: deque[tuple[Key, Json | None]] = deque(maxlen=lag)
        inner.listen(lambda event, before: self._history.append((own_key(dict(event.object)), before)))

    def heal(self) -> None:
        """End all faults, e.g. before asserting that all is well in the end."""
        self._stale_reads = self._late_events = 0.0

    async def get(self, kind: Kind, namespace: str | None, name: str) -> Json:
        """See `Cluster.get`; perhaps as it was."""
        past = self._past()
        live = None if key_of(kind, namespace, name) in past else await self._inner.get(kind, namespace, name)
        obj = live or past[key_of(kind, namespace, name)]
        if obj is None:
            raise NotFound(f"{describe(kind, namespace, name)} does not exist")
        return clone(obj)

    async def list(
        self, kind: Kind, *, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[Json]:
        """See `Cluster.list`; perhaps as it was."""
        past = self._past()
        seen: dict[Key, Json | None] = {own_key(obj): obj for obj in await self._inner.list(kind, namespace=namespace)}
        seen |= {key: obj for key, obj in past.items() if key[0] == kind.kind and namespace in (None, key[1])}
        return [clone(obj) for _, obj in sorted(seen.items(), key=_by_name) if obj and has_labels(obj, labels)]

    async def list_metadata(self, kind: Kind) -> Listing:
        """See `Cluster.list_metadata`; perhaps as it was."""
        return Listing([{"metadata": obj["metadata"]} for obj in await self.list(kind)])

    async def watch(self, kinds: Sequence[Kind]) -> AsyncGenerator[WatchEvent, None]:
        """See `Cluster.watch`; events of different objects may overtake one another."""
        held: list[WatchEvent] = []
        async with contextlib.aclosing(self._inner.watch(kinds)) as changes:
            coming = asyncio.ensure_future(anext(changes))
            try:
                while True:
                    await asyncio.wait((coming,), timeout=0 if held else None)
                    if coming.done():
                        held.append(coming.result())
                        coming = asyncio.ensure_future(anext(changes))
                        if len(held) <= self._lag and self._random.random() < self._late_events:
                            continue
                    yield _released(held, self._random)
            finally:
                coming.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await coming

    async def create(self, obj: Object, *, field_manager: str) -> Json:
        """See `Cluster.create`."""
        return await self._inner.create(obj, field_manager=field_manager)

    async def apply(self, obj: Object, *, field_manager: str) -> Json:
        """See `Cluster.apply`."""
        return await self._inner.apply(obj, field_manager=field_manager)

    async def apply_status(self, obj: Object, *, field_manager: str) -> Json:
        """See `Cluster.apply_status`."""
        return await self._inner.apply_status(obj, field_manager=field_manager)

    async def add_finalizer(
        self, kind: Kind, namespace: str | None, name: str, *, uid: str, finalizer: str, field_manager: str
    ) -> Json:
        """See `Cluster.add_finalizer`."""
        return await self._inner.add_finalizer(
            kind, namespace, name, uid=uid, finalizer=finalizer, field_manager=field_manager
        )

    async def remove_finalizer(
        self, kind: Kind, namespace: str | None, name: str, *, uid: str, finalizer: str, known: Sequence[str]
    ) -> Json:
        """See `Cluster.remove_finalizer`."""
        return await self._inner.remove_finalizer(kind, namespace, name, uid=uid, finalizer=finalizer, known=known)

    async def delete(self, kind: Kind, namespace: str | None, name: str, *, uid: str) -> None:
        """See `Cluster.delete`."""
        await self._inner.delete(kind, namespace, name, uid=uid)

    async def record_event(
        self, regarding: Object, *, severity: Literal["Normal", "Warning"], reason: str, action: str, note: str
    ) -> None:
        """See `Cluster.record_event`."""
        await self._inner.record_event(regarding, severity=severity, reason=reason, action=action, note=note)

    def _past(self) -> dict[Key, Json | None]:
        """Objects as they were some changes ago, where they have changed since; empty if this read is not stale."""
        if self._random.random() >= self._stale_reads:
            return {}
        undone = self._random.randint(0, len(self._history))
        return dict(list(reversed(self._history))[:undone])


def _released(held: list[WatchEvent], random: Random) -> WatchEvent:
    """Take one event out of those held: any that is the first of its object."""
    first: dict[Key, int] = {}
    for index, event in enumerate(held):
        first.setdefault(own_key(dict(event.object)), index)
    return held.pop(random.choice(sorted(first.values())))


def _by_name(entry: tuple[Key, Json | None]) -> tuple[str, ...]:
    return tuple(map(str, entry[0]))
