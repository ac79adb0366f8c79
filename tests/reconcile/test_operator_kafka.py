"""What the operator does when Kafka is away, refuses, or has lost the run; and at the end of a training's life."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from fedka.plan.outcome import LOSS_DELAY
from fedka.plan.topics import PROBE_PAUSE
from fedka.reconcile.meter import NoMeter, Outcome
from fedka.reconcile.ports import FEDERATED_TRAINING
from fedka.reconcile.spec_topic import newest
from fedka.wire import records as r

from .builders import first_model, joined, opened, whole_round
from .conftest import GENEROUS_SECONDS, World

TURNS = 2000  # of the event loop: more than an operator needs to read and to tell all that it has


class Outcomes(NoMeter):
    """How often a training was looked at, and how often Kafka was found to be away."""

    def __init__(self) -> None:
        self.number = 0
        self.away = 0
        self._looked = asyncio.Event()

    def reconciled(self, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002  the port's
        self.number += 1
        self.away += outcome is Outcome.KAFKA_AWAY
        self._looked.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(GENEROUS_SECONDS):
            while not holds():
                self._looked.clear()
                await self._looked.wait()


async def test_kafka_away_is_said_and_recovers_by_itself(world: World):
    world.kafka.available = False
    world.start()
    topics = await world.create()

    async def said() -> bool:
        return await world.condition("KafkaReady") == ("False", "KafkaUnreachable")

    await world.until(said)
    world.kafka.available = True
    await world.started(topics)

    async def recovered() -> bool:
        return await world.condition("KafkaReady") == ("True", "TopicsReady")

    await world.until(recovered)
    await world.until_told("KafkaReachable")


async def test_an_outage_is_warned_of_once_however_often_kafka_is_asked(world: World, caplog: pytest.LogCaptureFixture):
    asked = Outcomes()
    world.kafka.available = False
    world.start(meter=asked)
    await world.create()
    for count in range(2, 6):
        before = asked.away
        world.clock_ahead += PROBE_PAUSE
        await world.change(rounds={"count": count})
        await asked.until(lambda before=before: asked.away > before)
    assert [record.levelname for record in caplog.records if "Kafka is not reached" in record.message] == ["WARNING"]


async def test_a_complaint_of_a_client_is_looked_into(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    world.kafka.available = False
    world.kafka.complain(topics.run, "broker down")

    async def said() -> bool:
        return await world.condition("KafkaReady") == ("False", "KafkaUnreachable")

    await world.until(said)


async def test_a_kafka_that_falls_silent_is_noticed_though_no_client_complains(world: World):
    world.start(pulse_seconds=0.01)
    topics = await world.create()
    await world.started(topics)
    world.kafka.available = False

    async def said() -> bool:
        return await world.condition("KafkaReady") == ("False", "KafkaUnreachable")

    await world.until(said)


async def test_an_end_that_was_decided_while_kafka_was_away_is_told_when_it_is_back(world: World):
    world.start(pulse_seconds=0.01)
    topics = await world.create(activeDeadlineSeconds=3600)
    await world.started(topics)
    world.kafka.aggregator(topics).write(*joined("a", "b"))

    async def running() -> bool:
        return (await world.status()).get("participants", {}).get("summary") == "2/2"

    await world.until(running)
    world.kafka.available = False

    async def away() -> bool:
        return await world.condition("KafkaReady") == ("False", "KafkaUnreachable")

    await world.until(away)
    world.clock_ahead = timedelta(hours=2)

    async def failed() -> bool:
        return await world.condition("Failed") == ("True", "DeadlineExceeded")

    await world.until(failed)
    world.kafka.available = True

    async def told() -> bool:
        published = newest(world.kafka.topics[topics.spec].records)
        ordered = published is not None and published.spec.stop is not None
        return ordered and not world.kafka.followers and await world.condition("KafkaReady") == ("True", "TopicsReady")

    await world.until(told)


async def test_what_kafka_refuses_is_said(world: World):
    world.kafka.refusal = "replication factor 3 is larger than the number of brokers, 1"
    world.start()
    await world.create()

    async def said() -> bool:
        return await world.condition("KafkaReady") == ("False", "ProvisioningRefused")

    await world.until(said)


async def test_a_journal_that_is_gone_fails_the_run_and_is_never_made_again(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"))

    async def seen() -> bool:
        return "journal" in await world.status()

    await world.until(seen)
    await world.stop()
    del world.kafka.topics[topics.journal]
    world.start()

    async def failed() -> bool:
        return await world.condition("Failed") == ("True", "JournalLost")

    await world.until(failed)
    assert topics.journal not in world.kafka.topics


async def test_a_journal_that_lost_its_end_fails_the_run_and_says_what_is_missing(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"), *first_model("a"), *whole_round(1, "a", "b"))

    async def closed() -> bool:
        return (await world.status()).get("rounds", {}).get("completed") == 1

    await world.until(closed)
    await world.stop()
    read = (await world.status())["journal"]["offset"]
    del world.kafka.topics[topics.journal].records[read - 1 :]  # as a power cut leaves it
    world.start()

    async def followed() -> bool:
        return topics.run in world.kafka.followers

    await world.until(followed)
    world.clock_ahead = LOSS_DELAY
    await world.change(rounds={"count": 4})  # so that it is looked at now, not in LOSS_DELAY

    async def failed() -> bool:
        return await world.condition("Failed") == ("True", "JournalLost")

    await world.until(failed)
    status = await world.status()
    (message,) = (each["message"] for each in status["conditions"] if each["type"] == "Failed")
    assert f"the record at offset {read} had been read" in message
    assert f"ends before offset {read - 1}" in message
    assert status["rounds"]["completed"] == 1  # what was known of it stays


async def test_a_run_that_is_interrupted_again_and_again_in_one_round_has_not_failed(world: World):
    world.pods_end_with_operator = True
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"), *first_model("a"))
    for _ in range(8):  # six are allowed
        await world.stop()
        world.start()
        hand = await world.started(topics)
    hand.write(*whole_round(1, "a", "b"))

    async def first_round() -> bool:
        return (await world.status()).get("rounds", {}).get("completed") == 1

    await world.until(first_round)
    assert await world.condition("Failed") == ("False", "NotFailed")


async def test_a_restarted_operator_comes_to_the_same_status(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"), *first_model("a"), *whole_round(1, "a", "b"))

    async def first_round() -> bool:
        return (await world.status()).get("rounds", {}).get("completed") == 1

    await world.until(first_round)
    await world.stop()
    before = await world.status()
    hand.write(*whole_round(2, "a", "b"))
    world.start()

    async def second_round() -> bool:
        return (await world.status()).get("rounds", {}).get("completed") == 2

    await world.until(second_round)
    after = await world.status()
    assert after["startTime"] == before["startTime"]
    assert after["rounds"]["history"][0] == before["rounds"]["history"][0]
    assert len(world.kafka.specs(topics)) == 1


async def test_a_run_that_ended_without_an_operator_says_why_updates_did_not_count(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"), *first_model("a"), opened(1, "a", "b"))
    await world.stop()
    await world.end_job("b", succeeded=True)
    refused = {"round": 1, "attempt": 1, "participant": "b", "offset": 11}
    hand.write(r.UpdateRejected(**refused, final=True), r.RunFailed(reason="TooManyMissedRounds", message="3 in a row"))
    why = r.UpdateAudited(epoch=1, **refused, accepted=False, reason="AppFailed", message="no steps")
    world.kafka.append(topics.audit, why)
    world.kafka.held.add(topics.audit)  # as a rule the journal is read first
    world.start()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    world.kafka.release(topics.audit)

    async def said() -> bool:
        detail = {each["name"]: each for each in (await world.status())["participants"]["detail"]}
        return detail["b"].get("reason") == "AppFailed" and topics.run not in world.kafka.followers

    await world.until(said)
    assert await world.condition("Failed") == ("True", "TooManyMissedRounds")


async def test_what_turns_a_run_is_told_though_its_progress_is_looked_at_rarely(world: World):
    world.start(progress_seconds=3600)
    topics = await world.create(rounds={"count": 2})
    hand = await world.started(topics)
    hand.write(*joined("a", "b"))

    async def enough() -> bool:
        return await world.condition("QuorumAvailable") == ("True", "EnoughParticipants")

    await world.until(enough)
    hand.write(*first_model("a"), *whole_round(1, "a", "b"), *whole_round(2, "a", "b"))
    hand.write(r.RunCompleted(reason="RoundsDone"))

    async def complete() -> bool:
        return await world.condition("Complete") == ("True", "AllRoundsDone")

    await world.until(complete)
    assert (await world.status())["rounds"]["completed"] == 2


async def test_a_run_is_said_to_have_ended_with_all_that_it_came_to(world: World):
    """Whoever waits for the end reads its rounds and its model the moment that it is said."""
    world.start()
    topics = await world.create(rounds={"count": 2})
    hand = await world.started(topics)
    hand.write(*joined("a", "b"), *first_model("a"), *whole_round(1, "a", "b"))

    async def one_round() -> bool:
        return (await world.status()).get("rounds", {}).get("completed") == 1

    await world.until(one_round)
    await world.stop()
    hand.write(*whole_round(2, "a", "b"), r.RunCompleted(reason="RoundsDone"))
    world.kafka.append(topics.audit, r.LateAudited(epoch=1, round=2, attempt=1, participant="b", deadline_seconds=9))
    world.kafka.held.add(topics.audit)
    looked = Outcomes()
    world.start(meter=looked)
    await looked.until(lambda: topics.run in world.kafka.followers)
    for count in (3, 4):  # one look may have been under way when the journal was read
        before = looked.number
        await world.change(rounds={"count": count})
        await looked.until(lambda before=before: looked.number > before)
    assert await one_round()
    assert await world.condition("Complete") == ("False", "NotFinished")
    world.kafka.release(topics.audit)

    async def complete() -> bool:
        return await world.condition("Complete") == ("True", "AllRoundsDone")

    await world.until(complete)
    status = await world.status()
    assert (status["rounds"]["completed"], status["model"]["round"]) == (2, 2)


async def test_a_changed_spec_is_delivered_under_its_generation(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    await world.change(rounds={"count": 5})

    async def delivered() -> bool:
        return (await world.status()).get("appliedGeneration") == 2

    await world.until(delivered)
    assert world.kafka.specs(topics)[-1].rounds.count == 5


async def test_a_spec_that_no_rule_of_the_server_refuses_stalls_with_the_field(world: World):
    world.start()
    await world.create(rounds={"count": 3, "sampleSize": "50%", "quorum": 2})

    async def stalled() -> bool:
        return await world.condition("Stalled") == ("True", "InvalidSpec")

    await world.until(stalled)
    assert world.kafka.topics == {}
    await world.until_told("InvalidSpec")


async def test_a_deleted_training_takes_its_topics_along(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    uid = (await world.training())["metadata"]["uid"]
    await world.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=uid)
    await world.until_gone()
    assert world.kafka.topics == {}
    assert topics.run not in world.kafka.followers


async def test_retained_topics_outlive_their_training(world: World):
    world.start()
    topics = await world.create(kafka={"reclaimPolicy": "Retain"})
    await world.started(topics)
    uid = (await world.training())["metadata"]["uid"]
    await world.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=uid)
    await world.until_gone()
    assert topics.model in world.kafka.topics


async def test_topics_of_participants_removed_long_ago_go_too(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    await world.change(participants=[{"name": "b"}])

    async def delivered() -> bool:
        return (await world.status()).get("appliedGeneration") == 2

    await world.until(delivered)
    uid = (await world.training())["metadata"]["uid"]
    await world.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=uid)
    await world.until_gone()
    assert world.kafka.topics == {}


async def test_the_time_to_live_deletes_an_ended_training(world: World):
    world.start()
    topics = await world.create(ttlSecondsAfterFinished=0, kafka={"reclaimPolicy": "Retain"})
    hand = await world.started(topics)
    hand.write(r.RunCompleted(reason="RoundsDone"))
    await world.until_gone()


async def test_a_training_made_anew_is_another_run(world: World):
    world.start()
    first = await world.create()
    await world.started(first)
    uid = (await world.training())["metadata"]["uid"]
    await world.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=uid)
    await world.until_gone()
    second = await world.create()
    hand = await world.started(second)
    hand.write(*joined("a", "b"))

    async def counted() -> bool:
        return (await world.status()).get("participants", {}).get("present") == 2

    await world.until(counted)
    assert first.run != second.run
