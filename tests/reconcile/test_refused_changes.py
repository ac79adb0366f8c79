"""What the operator does where a policy keeps it from changing what is there: it says so, and goes on with the rest."""

from dataclasses import replace
from typing import Any

import pytest

from fedka.reconcile.ports import SECRET, Cause, ClusterError, Forbidden, Invalid, NotAdmitted
from fedka.wire.records import RunSuspended

from .conftest import World
from .strict import Strict

SAID = "admission webhook jobs.example denied the request"


async def until_stalled(world: World, reason: str) -> None:
    async def told() -> bool:
        return await world.condition("Stalled") == ("True", reason)

    await world.until(told)


async def suspended_jobs(world: World) -> set[str]:
    return {member for member, job in (await world.jobs()).items() if job["spec"]["suspend"]}


@pytest.mark.parametrize("answer", [Forbidden(SAID), Invalid("Job a", [Cause("", SAID)]), NotAdmitted(SAID)])
async def test_a_job_that_may_not_be_suspended_is_named_and_the_others_are(world: World, answer: ClusterError):
    strict = Strict(world.cluster, changes={("Job", "a"): answer})
    world.start(strict)
    hand = await world.started(await world.create())
    await world.change(suspend=True)
    hand.write(RunSuspended())
    await until_stalled(world, "ChangeForbidden")
    status = await world.status()
    assert (status["phase"], status["observedGeneration"]) == ("Suspended", 2)
    assert await suspended_jobs(world) == {"aggregator", "b"}
    assert SAID in next(each["message"] for each in status["conditions"] if each["type"] == "Stalled")
    await world.until_told("ChangeForbidden")
    assert strict.refused == [("Job", "a")]


async def test_a_job_that_may_be_suspended_again_is_at_the_next_look(world: World):
    strict = Strict(world.cluster, changes={("Job", "a"): Forbidden(SAID)})
    world.start(strict, resync_seconds=0.2)
    hand = await world.started(await world.create())
    await world.change(suspend=True)
    hand.write(RunSuspended())
    await until_stalled(world, "ChangeForbidden")
    strict.changes.clear()

    async def mended() -> bool:
        suspended = await suspended_jobs(world) == {"aggregator", "a", "b"}
        return suspended and await world.condition("Stalled") == ("False", "NotStalled")

    await world.until(mended)


async def test_a_secret_that_may_not_be_deleted_is_named_and_its_job_goes(world: World):
    strict = Strict(world.cluster, deletions={("Secret", "a"): Forbidden(SAID)})
    world.start(strict)
    await world.started(await world.create())
    await world.change(participants=[{"name": "b"}])
    await until_stalled(world, "DeletionForbidden")

    async def gone() -> bool:
        return set(await world.jobs()) == {"aggregator", "b"}

    await world.until(gone)
    strict.deletions.clear()
    await world.change(participants=[{"name": "b"}], rounds={"count": 4})

    async def mended() -> bool:
        left = await world.cluster.list(SECRET, labels={"fedka.dev/participant": "a"})
        return not left and await world.condition("Stalled") == ("False", "NotStalled")

    await world.until(mended)


async def test_a_secret_that_may_not_be_marked_keeps_its_pod_from_being_made_and_no_other(world: World):
    world.kafka_cluster = replace(world.kafka_cluster, identities=True)
    world.start(Strict(world.cluster, changes={("Secret", "a"): Forbidden(SAID)}))
    await world.create()

    async def others() -> bool:
        stalled = await world.condition("Stalled") == ("True", "CreationForbidden")
        return stalled and set(await world.jobs()) == {"aggregator", "b"}

    await world.until(others)
    detail: list[dict[str, Any]] = (await world.status())["participants"]["detail"]
    assert SAID in next(each["message"] for each in detail if each["name"] == "a")


async def test_a_secret_that_may_not_be_replaced_keeps_its_pod_from_being_made_and_no_other(world: World):
    strict = Strict(world.cluster, deletions={("Secret", "a"): Forbidden(SAID)})
    world.start(strict)
    hand = await world.started(await world.create())
    await world.change(suspend=True)
    hand.write(RunSuspended())

    async def all_suspended() -> bool:
        return await suspended_jobs(world) == {"aggregator", "a", "b"}

    await world.until(all_suspended)
    config = {"app": {"entrypoint": "fraud:app", "config": {"epochs": "2"}}}
    await world.change(suspend=True, **config)
    await world.change(suspend=False, **config)
    await until_stalled(world, "CreationForbidden")

    async def others_run() -> bool:
        return await suspended_jobs(world) <= {"a"}

    await world.until(others_run)
    assert ("Secret", "a") in strict.refused
