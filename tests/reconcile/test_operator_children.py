"""What the operator does when children, or their names, are not as it left them."""

import asyncio

from fedka.api.training import FederatedTraining
from fedka.plan.names import child_name
from fedka.plan.snapshot import Role
from fedka.reconcile.ports import JOB, SECRET
from fedka.wire import records as r

from .builders import first_model, joined, whole_round
from .conftest import GENEROUS_SECONDS, World


async def test_a_deleted_job_is_made_again_while_the_run_lives(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    before = (await world.jobs())["a"]["metadata"]
    await world.cluster.delete(JOB, "default", before["name"], uid=before["uid"])

    async def made_again() -> bool:
        job = (await world.jobs()).get("a")
        return job is not None and job["metadata"]["uid"] != before["uid"]

    await world.until(made_again)


async def test_a_failed_job_is_made_again_and_counts_the_restart_until_a_round_has_closed(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    made = {(await world.jobs())["aggregator"]["metadata"]["uid"]}
    await world.end_job("aggregator", succeeded=False, message="it crashed")

    async def made_again() -> bool:
        job = (await world.jobs()).get("aggregator")
        return job is not None and job["metadata"]["uid"] not in made

    await world.until(made_again)
    metadata = (await world.jobs())["aggregator"]["metadata"]
    assert metadata["annotations"]["fedka.dev/restarts"] == "1"

    hand = world.kafka.aggregator(topics)
    hand.write(*joined("a", "b"), *first_model("a"), *whole_round(1, "a", "b"))

    async def closed() -> bool:
        return (await world.status()).get("rounds", {}).get("completed") == 1

    await world.until(closed)
    made.add(metadata["uid"])
    await world.cluster.delete(JOB, "default", metadata["name"], uid=metadata["uid"])
    await world.until(made_again)
    assert (await world.jobs())["aggregator"]["metadata"]["annotations"]["fedka.dev/restarts"] == "0"


async def test_a_participant_whose_job_failed_is_named_with_the_cause(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    first = (await world.jobs())["a"]["metadata"]["uid"]
    await world.end_job("a", succeeded=False)

    async def made_again() -> bool:
        job = (await world.jobs()).get("a")
        return job is not None and job["metadata"]["uid"] != first

    await world.until(made_again)
    await world.end_job("a", succeeded=False, message="no module named fraud")

    async def named() -> bool:
        detail = (await world.status())["participants"]["detail"]
        return "no module named fraud" in detail[0].get("message", "")

    await world.until(named)


async def test_a_namesake_of_somebody_else_is_left_alone_and_reported(world: World):
    topics = await world.create()
    training = FederatedTraining.from_object((await world.training()) or {})
    name = child_name(training, Role.PARTICIPANT, "a")
    foreign = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "default", "labels": {"fedka.dev/training-uid": "another"}},
        "data": {},
    }
    made = await world.cluster.create(foreign, field_manager="somebody")
    world.start()

    async def reported() -> bool:
        others = {"aggregator", "b"} <= set(await world.jobs())
        return others and await world.condition("Stalled") == ("True", "NameConflict")

    await world.until(reported)
    live = await world.cluster.get(SECRET, "default", name)
    assert live["metadata"]["uid"] == made["metadata"]["uid"]
    assert "a" not in await world.jobs()
    assert topics.run in world.kafka.followers


async def test_a_removed_participants_job_and_secret_go_and_its_topic_stays(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    await world.change(participants=[{"name": "b"}])

    async def gone() -> bool:
        return set(await world.jobs()) == {"aggregator", "b"} and len(await world.cluster.list(SECRET)) == 2

    await world.until(gone)
    assert topics.update("a") in world.kafka.topics


async def test_an_added_participant_gets_all_it_needs(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    await world.change(participants=[{"name": "a"}, {"name": "b"}, {"name": "c"}])

    async def added() -> bool:
        return "c" in await world.jobs() and world.kafka.specs(topics)[-1].participants == ("a", "b", "c")

    await world.until(added)
    assert topics.update("c") in world.kafka.topics


async def test_an_external_participant_gets_a_bundle_and_no_job(world: World):
    world.start()
    topics = await world.create(participants=[{"name": "a"}, {"name": "b", "mode": "External"}])

    async def made() -> bool:
        return set(await world.jobs()) == {"aggregator", "a"} and len(await world.cluster.list(SECRET)) == 3

    await world.until(made)
    assert topics.update("b") in world.kafka.topics


async def test_suspending_waits_for_the_journal_and_resuming_goes_on(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"))
    await world.change(suspend=True)

    async def ordered() -> bool:
        return world.kafka.specs(topics)[-1].suspend and await world.condition("Suspended") == ("False", "Suspending")

    await world.until(ordered)
    assert not any(job["spec"]["suspend"] for job in (await world.jobs()).values())
    hand.write(r.RunSuspended())

    async def suspended() -> bool:
        stopped = all(job["spec"]["suspend"] for job in (await world.jobs()).values())
        return stopped and (await world.status()).get("phase") == "Suspended"

    await world.until(suspended)
    await world.change(suspend=False)

    async def resumed() -> bool:
        return not any(job["spec"]["suspend"] for job in (await world.jobs()).values())

    await world.until(resumed)


async def test_an_app_changed_while_suspended_is_taken_up_by_new_jobs(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    before = {name: job["metadata"]["uid"] for name, job in (await world.jobs()).items()}
    await world.change(suspend=True)
    hand.write(r.RunSuspended())

    async def suspended() -> bool:
        return all(job["spec"]["suspend"] for job in (await world.jobs()).values())

    await world.until(suspended)
    await world.change(suspend=True, app={"entrypoint": "fraud:app", "image": "another"})
    await world.change(suspend=False, app={"entrypoint": "fraud:app", "image": "another"})

    async def remade() -> bool:
        jobs = await world.jobs()
        if set(jobs) != {"aggregator", "a", "b"}:
            return False
        image = jobs["a"]["spec"]["template"]["spec"]["containers"][0]["image"]
        return image == "another" and not any(job["spec"]["suspend"] for job in jobs.values())

    await world.until(remade)
    after = {name: job["metadata"]["uid"] for name, job in (await world.jobs()).items()}
    assert after["aggregator"] == before["aggregator"]
    assert after["a"] != before["a"]


async def test_two_operators_at_once_make_nothing_twice(world: World):
    world.start()
    world.start()
    topics = await world.create()
    await world.started(topics)

    async def ready() -> bool:
        return (await world.status()).get("appliedGeneration") == 1

    await world.until(ready)
    assert len(await world.cluster.list(JOB)) == 3
    assert world.kafka.made == 7


async def test_who_does_not_lead_changes_nothing(world: World):
    world.leads = False
    world.start()
    await world.create()
    async with asyncio.timeout(GENEROUS_SECONDS):
        await world.asked_who_leads.wait()
    await world.stop()
    assert (await world.training())["metadata"].get("finalizers", []) == []
    assert world.kafka.topics == {}
