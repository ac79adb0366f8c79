"""Who runs an External participant is told when the bundle that was handed over may be of no use any more."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from fedka.plan.settings import KafkaCluster
from fedka.reconcile.ports import EVENT, SECRET, ClusterUnavailable
from fedka.wire.bundle import KafkaAccess
from fedka.wire.names import RunTopics

from .builders import joined
from .conftest import World
from .fakes import Hand

PARTICIPANTS = [{"name": "a"}, {"name": "outside", "mode": "External"}]
AGAIN = "HandOverAgain"


@pytest.fixture
def world(world: World) -> World:
    world.kafka_cluster = KafkaCluster(KafkaAccess(bootstrap_servers="kafka:9093"), identities=True)
    return world


class KilledBetween:
    """A cluster at which the operator does not get as far as creating the Secret that it has deleted."""

    def __init__(self, world: World) -> None:
        self._inner = world.cluster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def create(self, obj: Any, *, field_manager: str) -> Any:
        if obj["kind"] == SECRET.kind:
            raise ClusterUnavailable("the operator was killed")
        return await self._inner.create(obj, field_manager=field_manager)


async def bundle(world: World) -> dict[str, Any] | None:
    found = await world.cluster.list(SECRET, labels={"fedka.dev/participant": "outside"})
    return found[0] if found else None


async def set_up(world: World) -> tuple[RunTopics, Hand]:
    """A run whose External participant has a user and a bundle."""
    world.start()
    topics = await world.create(participants=PARTICIPANTS)

    async def made() -> bool:
        return len(await world.jobs()) == 2 and topics.run in world.kafka.followers and await bundle(world) is not None

    await world.until(made)
    hand = world.kafka.aggregator(topics)
    hand.write(*joined("a", "outside"))
    return topics, hand


def move_kafka(world: World) -> None:
    """So that bundles have to be replaced, by the operator that is started next."""
    world.kafka_cluster = replace(world.kafka_cluster, access=KafkaAccess(bootstrap_servers="elsewhere:9093"))


def replaced(world: World, before: dict[str, Any]) -> Callable[[], Awaitable[bool]]:
    async def so() -> bool:
        now = await bundle(world)
        return now is not None and now["metadata"]["uid"] != before["metadata"]["uid"]

    return so


def delivered(world: World) -> Callable[[], Awaitable[bool]]:
    async def so() -> bool:
        generation = (await world.training() or {})["metadata"]["generation"]
        return bool((await world.status()).get("appliedGeneration") == generation)

    return so


async def told(world: World) -> list[dict[str, Any]]:
    return [event for event in await world.cluster.list(EVENT) if event["reason"] == AGAIN]


async def with_new_password(world: World, topics: RunTopics, old: str) -> None:
    async def so() -> bool:
        login = world.kafka.users[topics.participant_user("outside")]
        return login.password != old and len(await told(world)) == 1

    await world.until(so)


async def test_a_bundle_that_was_lost_while_it_was_replaced_is_to_be_handed_over_again(world: World):
    topics, _ = await set_up(world)
    old = world.kafka.users[topics.participant_user("outside")].password
    await world.stop()
    move_kafka(world)
    world.start(KilledBetween(world))

    async def lost() -> bool:
        return await bundle(world) is None

    await world.until(lost)
    await world.stop()
    assert await told(world) == []
    world.start()
    await with_new_password(world, topics, old)
    (event,) = await told(world)
    assert event["type"] == "Warning"
    assert "fedka bundle fraud outside" in event["note"]


async def test_so_is_one_whose_secret_was_made_anew_by_an_operator_that_got_no_further(world: World):
    topics, _ = await set_up(world)
    old = world.kafka.users[topics.participant_user("outside")].password
    await world.stop()
    metadata = (await bundle(world) or {})["metadata"]
    await world.cluster.delete(SECRET, "default", metadata["name"], uid=metadata["uid"])
    world.kafka.identity_refusal = "the operator lacks Alter on the cluster"
    world.start()

    async def made_anew() -> bool:
        return await bundle(world) is not None

    await world.until(made_anew)
    await world.stop()
    assert await told(world) == []
    world.kafka.identity_refusal = ""
    world.start()
    await with_new_password(world, topics, old)


async def test_a_bundle_that_is_made_for_the_first_time_is_nothing_to_tell(world: World):
    await set_up(world)
    await world.stop()
    assert await told(world) == []


async def test_a_bundle_that_was_replaced_with_its_password_is_nothing_to_tell(world: World):
    topics, _ = await set_up(world)
    before, old = await bundle(world) or {}, world.kafka.users[topics.participant_user("outside")].password
    await world.stop()
    move_kafka(world)
    for _ in range(2):  # also for the operator after the one that has done it
        world.start()
        await world.until(replaced(world, before))
        await world.change(participants=PARTICIPANTS, rounds={"count": len(world.kafka.specs(topics)) + 5})
        await world.until(delivered(world))
        await world.stop()
    assert (await bundle(world) or {})["data"]["password"] == before["data"]["password"]
    assert world.kafka.users[topics.participant_user("outside")].password == old
    assert await told(world) == []


async def test_the_secret_of_a_managed_participant_is_its_pods_own_affair(world: World):
    topics, _ = await set_up(world)
    old = world.kafka.users[topics.participant_user("a")].password
    await world.stop()
    (secret,) = await world.cluster.list(SECRET, labels={"fedka.dev/participant": "a"})
    await world.cluster.delete(SECRET, "default", secret["metadata"]["name"], uid=secret["metadata"]["uid"])
    world.start()

    async def anew() -> bool:
        return world.kafka.users[topics.participant_user("a")].password != old

    await world.until(anew)
    await world.stop()
    assert await told(world) == []
