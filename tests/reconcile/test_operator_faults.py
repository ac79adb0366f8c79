"""Whatever the operator is shown of the cluster, and however often it is killed, it comes to the same end."""

import asyncio
from random import Random

import pytest

from fedka.reconcile.ports import JOB, Conflict, NotFound

from ..local.cluster_faults import UnreliableCluster
from .builders import joined
from .conftest import World

STEPS = 12
GIVE_WAY = 20  # times, so that the operator does some of its work between two steps


@pytest.mark.parametrize("seed", range(8))
async def test_stale_reads_late_events_and_kills_change_nothing_in_the_end(world: World, seed: int):
    random = Random(seed)  # noqa: S311  no secrets
    faulty = UnreliableCluster(world.cluster, random=random, stale_reads=0.3, late_events=0.3)
    world.start(faulty)
    topics = await world.create()
    for _ in range(STEPS):
        await disturb(world, random, faulty)
        for _ in range(random.randrange(GIVE_WAY)):
            await asyncio.sleep(0)
    faulty.heal()
    await world.change(participants=[{"name": "a"}, {"name": "c"}], suspend=False)

    async def settled() -> bool:
        jobs = await world.jobs()
        whole = set(jobs) == {"aggregator", "a", "c"} and not any(job["spec"]["suspend"] for job in jobs.values())
        generation = ((await world.training()) or {})["metadata"]["generation"]
        status = await world.status()
        return whole and status.get("observedGeneration") == status.get("appliedGeneration") == generation

    await world.until(settled)
    world.kafka.aggregator(topics).write(*joined("a", "c"))

    async def counted() -> bool:
        return (await world.status()).get("participants", {}).get("summary") == "2/2"

    await world.until(counted)
    assert len([name for name in world.kafka.topics if name == topics.journal]) == 1


async def disturb(world: World, random: Random, faulty: UnreliableCluster) -> None:
    """One thing that a user, a node or fate does."""
    jobs = list((await world.jobs()).values())
    deed = random.choice(["lose", "lose", "suspend", "resume", "participants", "kill", "second"])
    try:
        if deed == "lose" and jobs:
            metadata = random.choice(jobs)["metadata"]
            await world.cluster.delete(JOB, "default", metadata["name"], uid=metadata["uid"])
        elif deed in {"suspend", "resume"}:
            await world.change(suspend=deed == "suspend")
        elif deed == "participants":
            await world.change(participants=[{"name": name} for name in random.choice(["ab", "ac", "abc"])])
        elif deed == "kill":
            await world.stop()
            world.start(faulty)
        elif deed == "second" and len(world.tasks) < 2:
            world.start(faulty)
    except (Conflict, NotFound):
        pass  # somebody was quicker
