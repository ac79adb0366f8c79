"""What the watch has told, compared with what there is."""

import asyncio
from datetime import UTC, datetime
from random import Random

import pytest

from fedka.local.cluster import InMemoryCluster
from fedka.local.crd_admission import CrdAdmission
from fedka.reconcile.cache import Cache, TrainingKey
from fedka.reconcile.coverage import Coverage, WatchSilent
from fedka.reconcile.ports import FEDERATED_TRAINING, EventType, WatchEvent

from .builders import training_object


class Watched:
    """A cluster whose watch tells only what the test lets it tell."""

    def __init__(self, *, arrival_seconds: float = 60) -> None:
        self.cluster = InMemoryCluster(clock=lambda: datetime.now(UTC), random=Random(1), admission=CrdAdmission())  # noqa: S311  no secrets
        self.cache = Cache()
        self.coverage = Coverage(
            cluster=self.cluster,
            cache=self.cache,
            tell=self.tell,
            barrier_seconds=0.02,
            arrival_seconds=arrival_seconds,
        )

    def tell(self, event: WatchEvent) -> None:
        self.cache.take(event)
        self.coverage.note()

    async def create(self, name: str, *, told: bool = True) -> dict:
        made = await self.cluster.create(training_object(name), field_manager="user")
        if told:
            self.tell(WatchEvent(EventType.ADDED, FEDERATED_TRAINING, made))
        return made


async def test_it_is_reached_once_all_that_exists_has_been_told():
    watched = Watched()
    made = await watched.create("fraud", told=False)
    reached = asyncio.ensure_future(watched.coverage.reached())
    done, _ = await asyncio.wait({reached}, timeout=0.05)
    assert not done
    watched.tell(WatchEvent(EventType.ADDED, FEDERATED_TRAINING, made))
    await asyncio.wait_for(reached, 60)


async def test_what_is_deleted_before_it_was_told_holds_nothing_up():
    watched = Watched()
    made = await watched.create("fraud", told=False)
    reached = asyncio.ensure_future(watched.coverage.reached())
    await asyncio.sleep(0)
    await watched.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=made["metadata"]["uid"])
    await asyncio.wait_for(reached, 60)


async def test_a_watch_that_says_nothing_from_the_start_is_found_out():
    watched = Watched(arrival_seconds=0.06)
    await watched.create("fraud", told=False)
    with pytest.raises(WatchSilent, match="federatedtrainings has not told of 1 objects"):
        await asyncio.wait_for(watched.coverage.reached(), 60)


async def test_a_deletion_that_the_watch_has_missed_is_made_up_for():
    watched = Watched()
    made = await watched.create("fraud")
    await watched.create("churn")
    await watched.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=made["metadata"]["uid"])
    await watched.coverage.restore()
    assert set(watched.cache.keys()) == {TrainingKey("default", "churn")}


async def test_a_watch_that_says_nothing_is_found_out():
    watched = Watched(arrival_seconds=0.06)
    await watched.create("fraud", told=False)
    with pytest.raises(WatchSilent, match="federatedtrainings"):
        await watched.coverage.restore()


async def test_what_the_watch_tells_a_little_later_is_waited_for():
    watched = Watched()
    made = await watched.create("fraud", told=False)
    restored = asyncio.ensure_future(watched.coverage.restore())
    await asyncio.sleep(0)
    watched.tell(WatchEvent(EventType.ADDED, FEDERATED_TRAINING, made))
    await asyncio.wait_for(restored, 60)
