"""A training may be deleted at any moment of its life, and nothing of it stays in Kafka."""

import logging
from dataclasses import replace

import pytest

from fedka.api.training import FINALIZER
from fedka.plan.parts import Identity, TopicSpec
from fedka.plan.settings import KafkaCluster
from fedka.reconcile.ports import NAMESPACE
from fedka.reconcile.provisioning import Login
from fedka.wire import records as r
from fedka.wire.bundle import KafkaAccess
from fedka.wire.names import RunTopics, run_id

from .builders import first_model, joined, opened, training_object
from .conftest import World
from .fakes import FakeTopic


@pytest.fixture
def world(world: World) -> World:
    world.kafka_cluster = KafkaCluster(KafkaAccess(bootstrap_servers="kafka:9093"), identities=True)
    return world


async def until_phase(world: World, phase: str) -> None:
    async def so() -> bool:
        return (await world.status()).get("phase") == phase

    await world.until(so)


async def reach(world: World, stage: str) -> None:
    """Bring a training into that stage of its life."""
    if stage == "refused":
        world.kafka.identity_refusal = "the operator lacks Alter on the cluster"
    topics = await world.create(suspend=stage == "made suspended")
    if stage == "refused":

        async def said() -> bool:
            return await world.condition("KafkaReady") == ("False", "ProvisioningRefused")

        await world.until(said)
        world.kafka.identity_refusal = ""
    elif stage == "made suspended":
        await until_phase(world, "Suspended")
    else:
        await reach_with_pods(world, topics, stage)


async def reach_with_pods(world: World, topics: RunTopics, stage: str) -> None:
    hand = await world.started(topics)
    hand.write(*joined("a", "b"))
    if stage == "in a round":
        hand.write(*first_model("a"), opened(1, "a", "b"))
        await until_phase(world, "Running")
    elif stage == "suspended":
        await world.change(suspend=True)
        hand.write(r.RunSuspended())
        await until_phase(world, "Suspended")
    elif stage == "complete":
        hand.write(r.RunCompleted(reason="RoundsDone"))
        await until_phase(world, "Complete")


@pytest.mark.parametrize("stage", ["refused", "made suspended", "waiting", "in a round", "suspended", "complete"])
async def test_a_training_deleted_in_any_stage_leaves_nothing(world: World, stage: str):
    world.start()
    await reach(world, stage)
    if stage == "refused":  # what was refused is not asked for again for a minute, unless by who knows nothing of it
        await world.stop()
        world.start()
    await world.delete()
    await world.until_gone()
    assert world.kafka.topics == {}
    assert world.kafka.users == {}


async def test_a_training_from_an_exported_manifest_ends_as_well(world: World):
    """Its user applied our finalizer too, as `kubectl get -o yaml` shows it, and so owns it beside us."""
    world.start()
    exported = training_object()
    exported["metadata"]["finalizers"] = [FINALIZER]
    made = await world.cluster.apply(exported, field_manager="user")
    await world.started(RunTopics(run=run_id("default", "fraud", made["metadata"]["uid"])))
    await world.delete()
    await world.until_gone()
    assert world.kafka.topics == {}


async def test_users_that_may_not_be_removed_leave_no_topics_behind(world: World):
    world.cleanup_seconds = 1
    world.start()
    await world.started(await world.create())
    world.kafka.identity_refusal = "the operator lacks Alter on the cluster"
    await world.delete()
    await world.until_gone()
    assert world.kafka.topics == {}
    assert world.kafka.users != {}


async def test_a_namespace_that_goes_takes_its_runs_along(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    namespace = await world.cluster.get(NAMESPACE, None, "default")
    await world.cluster.delete(NAMESPACE, None, "default", uid=namespace["metadata"]["uid"])
    await world.until_gone()
    assert world.kafka.topics == {}
    assert world.kafka.users == {}


async def test_what_is_left_when_kafka_stays_away_is_named_in_the_log(world: World, caplog: pytest.LogCaptureFixture):
    world.cleanup_seconds = 0.0
    world.start()
    topics = await world.create()
    await world.started(topics)
    world.kafka.available = False
    with caplog.at_level(logging.WARNING, "fedka.reconcile"):
        await world.delete()
        await world.until_gone()
    assert "CleanupTimedOut" in caplog.text
    assert topics.run in caplog.text
    assert topics.model in world.kafka.topics


async def test_an_operator_that_was_away_when_a_training_was_deleted_cleans_up_however_late(world: World):
    world.cleanup_seconds = 0.0
    world.start()
    topics = await world.create()
    await world.started(topics)
    await world.stop()
    await world.delete()
    world.start()
    await world.until_gone()
    assert world.kafka.topics == {}
    assert world.kafka.users == {}
    assert "CleanupTimedOut" not in await world.events()


async def test_a_kafka_that_others_use_keeps_what_is_theirs(world: World):
    longer = RunTopics(run="default.fraud2.00000000")
    world.kafka.users[longer.reader_user] = Login(Identity(longer.reader_user, ()), "theirs")
    world.kafka.topics[longer.update("a")] = FakeTopic("theirs", TopicSpec(longer.update("a"), 2))
    other = replace(longer, prefix="fedka2")
    world.kafka.topics[other.journal] = FakeTopic("others", TopicSpec(other.journal, 1))
    world.start()
    topics = await world.create()
    await world.started(topics)
    await world.delete()
    await world.until_gone()
    assert set(world.kafka.topics) == {longer.update("a"), other.journal}
    assert set(world.kafka.users) == {longer.reader_user}
