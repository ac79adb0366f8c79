"""What the operator does with children that the API server would not take: it says so, and goes on with the others."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from fedka.reconcile.ports import (
    FEDERATED_TRAINING,
    NETWORK_POLICY,
    Cause,
    ClusterError,
    Forbidden,
    Invalid,
    NotAdmitted,
)

from .builders import joined
from .conftest import World
from .strict import Strict

UNNAMED = {"spec": {"containers": [{"image": "proxy:1"}]}}


async def detail(world: World, participant: str) -> dict[str, Any]:
    details = (await world.status()).get("participants", {}).get("detail", ())
    return next((each for each in details if each["name"] == participant), {})


async def test_an_invalid_template_is_named_and_the_others_go_on(world: World):
    world.start()
    await world.create(participants=[{"name": "a", "template": UNNAMED}, {"name": "b"}])

    async def told() -> bool:
        return await world.condition("Stalled") == ("True", "InvalidSpec") and set(await world.jobs()) == {
            "aggregator",
            "b",
        }

    await world.until(told)
    said = await detail(world, "a")
    assert (said["state"], said["reason"]) == ("Pending", "InvalidSpec")
    assert "spec.template.spec.containers[1].name: Required value" in said["message"]
    await world.until_told("InvalidSpec")


async def test_a_refused_job_is_not_asked_for_again_before_the_spec_changes(world: World):
    strict = Strict(world.cluster, {("Job", "a"): Invalid("Job a", [Cause("spec.x", "is wrong")])})
    world.start(strict)
    topics = await world.create()

    async def told() -> bool:
        return (await detail(world, "a")).get("reason") == "InvalidSpec"

    await world.until(told)
    hand = world.kafka.aggregator(topics)
    await world.change(rounds={"count": 4})

    async def heard() -> bool:
        return (await world.status()).get("observedGeneration") == 2 and await told()

    await world.until(heard)
    assert hand.position is not None
    assert strict.asked.count(("Job", "a")) == 2


async def test_a_mended_template_heals(world: World):
    world.start()
    await world.create(participants=[{"name": "a", "template": UNNAMED}, {"name": "b"}])

    async def refused() -> bool:
        return await world.condition("Stalled") == ("True", "InvalidSpec")

    await world.until(refused)
    await world.change(participants=[{"name": "a", "template": {}}, {"name": "b"}])

    async def healed() -> bool:
        return "a" in await world.jobs() and await world.condition("Stalled") == ("False", "NotStalled")

    await world.until(healed)


async def test_what_is_forbidden_is_said_as_such(world: World):
    strict = Strict(world.cluster, {("Job", "a"): Forbidden("exceeded quota: jobs, limited: count/jobs.batch=2")})
    world.start(strict)
    await world.create()

    async def told() -> bool:
        return await world.condition("Stalled") == ("True", "CreationForbidden")

    await world.until(told)
    assert "exceeded quota" in (await detail(world, "a"))["message"]


async def test_a_quota_that_is_used_up_is_nothing_to_who_has_all_it_needs(world: World):
    world.kafka_cluster = replace(world.kafka_cluster, identities=True)
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"))
    await world.stop()
    full = Forbidden("exceeded quota: secrets, limited: count/secrets=4")
    world.start(Strict(world.cluster, {("Secret", member): full for member in ("aggregator", "a", "b", "reader")}))
    await world.change(rounds={"count": 4})

    async def delivered() -> bool:
        return (await world.status()).get("observedGeneration") == 2

    await world.until(delivered)
    assert await world.condition("Stalled") == ("False", "NotStalled")


async def test_no_pod_is_made_without_the_network_policy(world: World):
    world.start(Strict(world.cluster, {("NetworkPolicy", "aggregator"): Forbidden("no right to networkpolicies")}))
    await world.create()

    async def told() -> bool:
        return await world.condition("Stalled") == ("True", "CreationForbidden")

    await world.until(told)
    assert "aggregator" not in await world.jobs()


async def test_a_changed_network_policy_is_put_right_by_the_next_operator(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    await world.stop()
    name = (await world.jobs())["aggregator"]["metadata"]["name"]
    live = await world.cluster.get(NETWORK_POLICY, "default", name)
    assert live["spec"]["policyTypes"] == ["Ingress"]
    loosened = live | {"spec": live["spec"] | {"ingress": [{}]}}
    loosened["metadata"] = {key: live["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
    await world.cluster.apply(loosened, field_manager="fedka-operator")
    world.start()

    async def mended() -> bool:
        return "ingress" not in (await world.cluster.get(NETWORK_POLICY, "default", name))["spec"]

    await world.until(mended)


@pytest.mark.parametrize(
    "answer",
    [
        Forbidden("no right"),
        Invalid("Job a", [Cause("", "the webhook says no")]),
        NotAdmitted('failed calling webhook "jobs.example"'),
    ],
)
async def test_a_job_that_may_not_be_deleted_is_named_and_the_others_go_on(world: World, answer: ClusterError):
    strict = Strict(world.cluster, deletions={("Job", "a"): answer})
    world.start(strict)
    topics = await world.create(participants=[{"name": "a"}, {"name": "b"}])
    await world.started(topics)
    await world.change(participants=[{"name": "c"}])

    async def told() -> bool:
        jobs = set(await world.jobs())
        return await world.condition("Stalled") == ("True", "DeletionForbidden") and jobs == {"aggregator", "a", "c"}

    await world.until(told)
    assert str(answer) in str((await world.status())["conditions"])
    await world.until_told("DeletionForbidden")


async def test_a_refused_deletion_is_not_asked_for_again_at_once(world: World):
    strict = Strict(world.cluster, deletions={("Job", "a"): Forbidden("no right")})
    world.start(strict)
    topics = await world.create()
    hand = await world.started(topics)
    await world.end_job("a", succeeded=False)

    async def told() -> bool:
        return await world.condition("Stalled") == ("True", "DeletionForbidden")

    await world.until(told)
    hand.write(*joined("b"))

    async def present() -> bool:
        return (await world.status()).get("participants", {}).get("present") == 1

    await world.until(present)
    assert strict.refused == [("Job", "a")]


async def test_a_job_that_may_be_deleted_again_is(world: World):
    strict = Strict(world.cluster, deletions={("Job", "a"): Forbidden("no right")})
    world.start(strict)
    topics = await world.create()
    await world.started(topics)
    await world.change(participants=[{"name": "b"}])

    async def told() -> bool:
        return await world.condition("Stalled") == ("True", "DeletionForbidden")

    await world.until(told)
    strict.deletions.clear()
    await world.change(participants=[{"name": "b"}], rounds={"count": 4})

    async def mended() -> bool:
        return "a" not in await world.jobs() and await world.condition("Stalled") == ("False", "NotStalled")

    await world.until(mended)


async def test_a_job_that_may_not_be_deleted_holds_no_training_for_ever(world: World, caplog: pytest.LogCaptureFixture):
    world.cleanup_seconds = 0.0
    world.start(Strict(world.cluster, deletions={("Job", "a"): Forbidden("no right to jobs")}))
    topics = await world.create()
    await world.started(topics)
    training = await world.training()
    assert training is not None
    with caplog.at_level(logging.WARNING, "fedka.reconcile"):
        await world.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=training["metadata"]["uid"])

        async def gone() -> bool:
            return await world.training() is None

        await world.until(gone)
    assert world.kafka.topics == {}
    assert "CleanupTimedOut" in caplog.text
    assert "no right to jobs" in caplog.text
