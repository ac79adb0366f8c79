"""Who leads: one Lease object that one operator holds, so that a second one may stand by without harm.

Only monotonic time counts. The holder believes in its lease for `renew_seconds` from before it asked for it; others
take it only after they have themselves seen it unchanged for the whole, longer, `lease_seconds`. So clocks that differ
or jump cannot make two leaders.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from fedka.kubernetes.api import Api
from fedka.reconcile.ports import AlreadyExists, ClusterError, Conflict, NotFound

LOGGER = logging.getLogger("fedka.kubernetes")

Json = dict[str, Any]


class LeadershipLost(Exception):
    """Another operator may lead by now: this one must stop at once."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. A standby takes over `lease_seconds` after a leader was killed."""

    lease_seconds: int = 15
    renew_seconds: float = 10.0
    pause_seconds: float = 3.0


class LeaseStore(Protocol):
    """One Lease. Methods raise a ClusterError."""

    async def read(self) -> Json | None:
        """The Lease as it is, None where there is none."""
        ...

    async def write(self, lease: Json) -> Json:
        """Create it, or replace the version that it names: Conflict or AlreadyExists if somebody was quicker."""
        ...


class KubernetesLease:
    """The Lease of this name on a cluster."""

    def __init__(self, api: Api, namespace: str, name: str) -> None:
        self._api = api
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._identity = {"name": name, "namespace": namespace}

    async def read(self) -> Json | None:
        """See `LeaseStore.read`."""
        try:
            return await self._api.send("GET", f"{self._path}/{self._identity['name']}")
        except NotFound:
            return None

    async def write(self, lease: Json) -> Json:
        """See `LeaseStore.write`."""
        metadata = {**self._identity, **lease.get("metadata", {})}
        obj = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": lease["spec"]}
        if "resourceVersion" in metadata:
            return await self._api.send("PUT", f"{self._path}/{self._identity['name']}", body=obj)
        return await self._api.send("POST", self._path, body=obj)


class Leadership:
    """Of one process, whose `identity` is its own alone. `clock` only tells people the time."""

    def __init__(
        self,
        store: LeaseStore,
        *,
        identity: str,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        timing: Timing | None = None,
    ) -> None:
        self._store = store
        self._identity = identity
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._timing = timing or Timing()
        self._lease: Json = {}
        self._until = float("-inf")
        self._acquired = asyncio.Event()
        self._seen: tuple[str, float] = ("", 0.0)  # the version of another's lease, and since when

    def held(self) -> bool:
        """Whether this process leads."""
        return self._monotonic() < self._until

    async def acquire(self) -> None:
        """Return once this process leads."""
        told = ""
        while not await self._try_to_take():
            holder = (self._lease.get("spec") or {}).get("holderIdentity") or ""
            if holder != told:
                LOGGER.info("standing by: %s leads", holder)
                told = holder
            await self._sleep(self._timing.pause_seconds)
        LOGGER.info("%s leads", self._identity)
        self._acquired.set()

    async def keep(self) -> None:
        """Renew what was acquired until that fails. Raises LeadershipLost."""
        await self._acquired.wait()
        while True:
            await self._sleep(self._timing.pause_seconds)
            await self._renew()

    async def release(self) -> None:
        """Let another one lead at once, if this process leads."""
        if not self.held():
            return
        self._until = float("-inf")
        try:
            await self._store.write(self._as_held_by("", seconds=1))
        except ClusterError as error:
            LOGGER.warning("the lease was not given back, and runs out by itself: %s", error)

    async def _try_to_take(self) -> bool:
        asked = self._monotonic()
        try:
            live = await self._store.read()
            if live is not None:
                self._lease = live
                if not self._is_free(live):
                    return False
            self._lease = await self._store.write(self._as_held_by(self._identity))
        except (Conflict, AlreadyExists):
            return False  # somebody was quicker
        except ClusterError as error:
            LOGGER.warning("cannot ask for the lease: %s", error)
            return False
        self._until = asked + self._timing.renew_seconds
        return True

    def _is_free(self, live: Json) -> bool:
        spec, version = live.get("spec") or {}, live["metadata"]["resourceVersion"]
        if not spec.get("holderIdentity"):
            return True
        if self._seen[0] != version:
            self._seen = (version, self._monotonic())
        seconds = spec.get("leaseDurationSeconds") or self._timing.lease_seconds
        return bool(self._monotonic() - self._seen[1] > seconds)

    async def _renew(self) -> None:
        """Once, however often it takes. Raises LeadershipLost when the time that is left has run out."""
        while True:
            asked = self._monotonic()
            try:
                async with asyncio.timeout(max(0.0, self._until - asked)):
                    self._lease = await self._store.write(self._as_held_by(self._identity))
            except (Conflict, AlreadyExists):
                await self._look_who_leads()
            except TimeoutError:
                raise self._lost("it could not be renewed in time") from None
            except ClusterError as error:
                LOGGER.warning("the lease is not renewed yet: %s", error)
                await self._sleep(min(1.0, self._timing.pause_seconds))
            else:
                self._until = asked + self._timing.renew_seconds
                return
            if not self.held():
                raise self._lost("it could not be renewed in time")

    async def _look_who_leads(self) -> None:
        """Somebody has written the Lease: another leader, or a person who only labelled it."""
        try:
            live = await self._store.read()
        except ClusterError as error:
            LOGGER.warning("the lease cannot be read: %s", error)
            return
        holder = ((live or {}).get("spec") or {}).get("holderIdentity")
        if holder != self._identity:
            raise self._lost(f"{holder or 'nobody'} holds it")
        self._lease = live or {}

    def _lost(self, why: str) -> LeadershipLost:
        self._until = float("-inf")
        return LeadershipLost(f"the lease is lost: {why}")

    def _as_held_by(self, holder: str, seconds: int | None = None) -> Json:
        spec, metadata = self._lease.get("spec") or {}, self._lease.get("metadata") or {}
        changes_hands = holder != spec.get("holderIdentity")
        now = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        written = {
            "holderIdentity": holder,
            "leaseDurationSeconds": seconds or self._timing.lease_seconds,
            "renewTime": now,
            "acquireTime": now if changes_hands else spec.get("acquireTime", now),
            "leaseTransitions": int(spec.get("leaseTransitions") or 0) + bool(holder and changes_hands),
        }
        kept = {key: metadata[key] for key in ("resourceVersion", "labels", "annotations") if key in metadata}
        return {"metadata": kept, "spec": written}
