"""The operator as a whole, on a cluster and a Kafka in memory."""

from fedka.reconcile.ports import SECRET
from fedka.wire import records as r

from .builders import first_model, joined, whole_round
from .conftest import World


async def test_a_new_training_gets_topics_bundles_jobs_and_its_spec_delivered(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    assert set(world.kafka.topics) == {
        topics.spec,
        topics.journal,
        topics.audit,
        topics.model,
        topics.state,
        topics.update("a"),
        topics.update("b"),
    }
    assert set(await world.jobs()) == {"aggregator", "a", "b"}
    assert len(await world.cluster.list(SECRET)) == 3
    assert [spec.generation for spec in world.kafka.specs(topics)] == [1]


async def test_the_journal_shows_in_the_status_up_to_the_end(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"), *first_model("a"))
    for number in (1, 2, 3):
        hand.write(*whole_round(number, "a", "b"))
    hand.write(r.RunCompleted(reason="RoundsDone"))

    async def complete() -> bool:
        return (await world.status()).get("phase") == "Complete"

    await world.until(complete)
    status = await world.status()
    assert status["rounds"]["summary"] == "3/3"
    assert [past["round"] for past in status["rounds"]["history"]] == [1, 2, 3]
    assert status["model"]["round"] == 3
    assert status["progress"] == {"percentage": 100, "estimatedRemainingSeconds": 0}
    assert await world.condition("Ready") == ("True", "AllRoundsDone")


async def test_an_ended_run_is_no_longer_followed(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(r.RunCompleted(reason="RoundsDone"))

    async def unfollowed() -> bool:
        return (await world.status()).get("phase") == "Complete" and topics.run not in world.kafka.followers

    await world.until(unfollowed)
