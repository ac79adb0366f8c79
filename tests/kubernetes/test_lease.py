"""Who leads: on a Lease in memory and with time that moves when told to."""

import asyncio
import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from fedka.kubernetes.lease import Leadership, LeadershipLost
from fedka.reconcile.ports import AlreadyExists, ClusterUnavailable, Conflict

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Store:
    """A Lease as an API server keeps it: each write has a version, and a stale one is refused."""

    lease: dict[str, Any] | None = None
    version: int = 0
    away: bool = False
    slow: float = 0.0
    time: "Time | None" = None

    async def read(self) -> dict[str, Any] | None:
        self._answer()
        return copy.deepcopy(self.lease)

    async def write(self, lease: dict[str, Any]) -> dict[str, Any]:
        self._answer()
        version = lease["metadata"].get("resourceVersion")
        if version is None and self.lease is not None:
            raise AlreadyExists("the lease exists")
        if version is not None and version != str(self.version):
            raise Conflict("another version")
        self.version += 1
        self.lease = {"metadata": {**lease["metadata"], "resourceVersion": str(self.version)}, "spec": lease["spec"]}
        return copy.deepcopy(self.lease)

    def _answer(self) -> None:
        if self.time is not None:
            self.time.now += self.slow
        if self.away:
            raise ClusterUnavailable("no answer")

    @property
    def holder(self) -> str:
        return self.lease["spec"]["holderIdentity"] if self.lease else ""


@dataclass
class Time:
    """Sleeping passes time at once, and gives way to others."""

    now: float = 1000.0
    slept: int = 0
    most: int = 1000
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept += 1
        assert self.slept < self.most, "waits for ever"
        self.now += seconds
        await asyncio.sleep(0)


def leadership(store: Store, time: Time, identity: str) -> Leadership:
    return Leadership(store, identity=identity, clock=lambda: NOW, monotonic=time, sleep=time.sleep)


async def test_a_free_lease_is_taken():
    store, time = Store(), Time()
    one = leadership(store, time, "one")
    await one.acquire()
    assert one.held()
    assert store.holder == "one"


async def test_what_is_not_renewed_is_no_longer_believed_in():
    store, time = Store(), Time()
    one = leadership(store, time, "one")
    await one.acquire()
    time.now += 10.1
    assert not one.held()


async def test_the_time_counts_from_before_the_request():
    store, time = Store(), Time()
    store.slow, store.time = 6.0, time
    one = leadership(store, time, "one")
    await one.acquire()
    assert not one.held()


async def test_a_standby_waits_for_longer_than_the_leader_believes():
    store, time = Store(), Time()
    one, two = leadership(store, time, "one"), leadership(store, time, "two")
    await one.acquire()
    began = time.now
    await two.acquire()
    assert time.now - began > 15
    assert (one.held(), two.held()) == (False, True)


async def test_a_standby_leaves_a_lease_alone_that_is_renewed():
    store, time = Store(), Time()
    one, two = leadership(store, time, "one"), leadership(store, time, "two")
    await one.acquire()
    keeping, waiting = asyncio.ensure_future(one.keep()), asyncio.ensure_future(two.acquire())
    for _ in range(200):
        await asyncio.sleep(0)
    assert not keeping.done()
    assert not waiting.done()
    for task in (keeping, waiting):
        task.cancel()
    await asyncio.gather(keeping, waiting, return_exceptions=True)


async def test_a_lease_given_back_is_free_at_once():
    store, time = Store(), Time()
    one, two = leadership(store, time, "one"), leadership(store, time, "two")
    await one.acquire()
    await one.release()
    before = time.now
    await two.acquire()
    assert time.now == before
    assert not one.held()


async def test_a_lease_that_another_has_taken_is_lost():
    store, time = Store(), Time()
    one, two = leadership(store, time, "one"), leadership(store, time, "two")
    await one.acquire()
    time.now += 100
    await two.acquire()
    with pytest.raises(LeadershipLost, match="two"):
        await one.keep()
    assert not one.held()


async def test_a_lease_that_a_person_has_labelled_is_kept():
    store, time = Store(), Time()
    one = leadership(store, time, "one")
    await one.acquire()
    store.version += 1
    store.lease["metadata"] |= {"resourceVersion": str(store.version), "labels": {"team": "platform"}}
    keeping = asyncio.ensure_future(one.keep())
    for _ in range(50):
        await asyncio.sleep(0)
    assert not keeping.done()
    assert store.lease["metadata"]["labels"] == {"team": "platform"}
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_a_lease_that_cannot_be_renewed_in_time_is_lost():
    store, time = Store(), Time()
    one = leadership(store, time, "one")
    await one.acquire()
    store.away = True
    with pytest.raises(LeadershipLost, match="in time"):
        await one.keep()
    assert time.now <= 1000 + 15


async def test_what_another_holds_is_not_given_back():
    store, time = Store(), Time()
    one, two = leadership(store, time, "one"), leadership(store, time, "two")
    await one.acquire()
    time.now += 100
    await two.acquire()
    await one.release()
    assert store.holder == "two"


async def test_an_api_server_that_is_away_is_asked_again():
    store, time = Store(away=True), Time()
    one = leadership(store, time, "one")
    acquiring = asyncio.ensure_future(one.acquire())
    await asyncio.sleep(0)
    store.away = False
    await asyncio.wait_for(acquiring, 60)
    assert one.held()
