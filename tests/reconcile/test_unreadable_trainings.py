"""A training that the operator does not understand, as after a rollback, has not gone: its run stays, and it can go."""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from fedka.local.cluster import InMemoryCluster
from fedka.plan.settings import KafkaCluster
from fedka.reconcile.ports import FEDERATED_TRAINING, Kind, WatchEvent
from fedka.wire.bundle import KafkaAccess

from .builders import joined
from .conftest import World

Edit = Callable[[dict[str, Any]], Any]


@dataclass
class Newer:
    """A cluster whose training `fraud` was written by a newer version: the operator sees it after `edit`."""

    inner: InMemoryCluster
    edit: Edit = lambda _: None

    async def watch(self, kinds: Sequence[Kind]) -> AsyncGenerator[WatchEvent, None]:
        async for event in self.inner.watch(kinds):
            if event.kind == FEDERATED_TRAINING and event.object["metadata"]["name"] == "fraud":
                self.edit(dict(event.object))
            yield event

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def unknown_field(training: dict[str, Any]) -> None:
    training["spec"]["compression"] = "zstd"


def unknown_phase(training: dict[str, Any]) -> None:
    training["status"]["phase"] = "Paused"


def unknown_policy(training: dict[str, Any]) -> None:
    training["spec"]["kafka"]["reclaimPolicy"] = "Archive"


def unknown_participants(training: dict[str, Any]) -> None:
    training["spec"]["participants"] = [{"site": "a"}]


def more_participants(training: dict[str, Any]) -> None:
    training["spec"]["participants"] += [{"name": f"p{number}"} for number in range(1000)]


@pytest.fixture
def world(world: World) -> World:
    world.kafka_cluster = KafkaCluster(KafkaAccess(bootstrap_servers="kafka:9093"), identities=True)
    return world


@pytest.mark.parametrize("edit", [unknown_field, unknown_phase, unknown_participants, more_participants])
async def test_one_that_is_deleted_leaves_nothing(world: World, edit: Edit):
    world.start()
    topics = await world.create()
    await world.started(topics)
    await world.stop()
    world.start(Newer(world.cluster, edit))
    await world.delete()
    await world.until_gone()
    assert world.kafka.topics == {}
    assert world.kafka.users == {}
    assert await world.jobs() == {}


async def test_topics_stay_where_it_is_not_understood_what_is_to_become_of_them(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    await world.stop()
    world.start(Newer(world.cluster, unknown_policy))
    await world.delete()
    await world.until_gone()
    assert topics.model in world.kafka.topics
    assert world.kafka.users == {}


async def test_one_whose_kafka_stays_away_goes_after_the_cleanups_bound(world: World, caplog: pytest.LogCaptureFixture):
    world.cleanup_seconds = 0.0
    world.start()
    topics = await world.create()
    await world.started(topics)
    await world.stop()
    world.kafka.available = False
    world.start(Newer(world.cluster, unknown_field))
    await world.delete()
    await world.until_gone()
    assert "CleanupTimedOut" in caplog.text
    assert topics.run in caplog.text


async def until_others_have_been_worked_on(world: World) -> None:
    """By then the operator has seen all that was done before."""
    other = await world.create("other")

    async def reached() -> bool:
        return other.run in world.kafka.followers

    await world.until(reached)


async def test_one_that_lives_keeps_its_run_and_is_named_once(world: World, caplog: pytest.LogCaptureFixture):
    newer = Newer(world.cluster)
    world.start(newer)
    topics = await world.create()
    hand = await world.started(topics)
    newer.edit = unknown_field
    told = "default/fraud is not a training that this version understands: spec.compression"
    with caplog.at_level(logging.ERROR, "fedka.reconcile"):
        await world.change(rounds={"count": 4})
        hand.write(*joined("a"))
        await until_others_have_been_worked_on(world)
    assert topics.run in world.kafka.followers
    assert caplog.text.count(told) == 1


async def test_one_that_is_understood_again_goes_on(world: World, caplog: pytest.LogCaptureFixture):
    newer = Newer(world.cluster)
    world.start(newer)
    topics = await world.create()
    hand = await world.started(topics)
    newer.edit = unknown_field
    await world.change(rounds={"count": 4})
    hand.write(*joined("a", "b"))
    await until_others_have_been_worked_on(world)
    assert "it is left alone" in caplog.text
    newer.edit = lambda _: None
    await world.change(rounds={"count": 5})

    async def heard() -> bool:
        status = await world.status()
        return status.get("appliedGeneration") == 3 and status["participants"]["present"] == 2

    await world.until(heard)
