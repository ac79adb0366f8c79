"""A namespace that cannot be looked into, or not in whole, is left as it is; others are not concerned."""

import asyncio

import pytest

from fedka.reconcile.cache import WATCHED
from fedka.reconcile.meter import Outcome
from fedka.reconcile.ports import FEDERATED_TRAINING, JOB, POD
from fedka.reconcile.reach import EVERYWHERE, Reach
from fedka.wire import records as r

from .builders import first_model, joined, opened, whole_round
from .conftest import GENEROUS_SECONDS, World

HERE = "default"


class Looks:
    """Counts how often any training was looked at."""

    def __init__(self) -> None:
        self.looked = asyncio.Event()

    def reconciled(self, _outcome: Outcome, _seconds: float) -> None:
        self.looked.set()

    async def one_more(self) -> None:
        self.looked.clear()
        await asyncio.wait_for(self.looked.wait(), GENEROUS_SECONDS)


@pytest.fixture(params=[HERE, EVERYWHERE], ids=["named", "all"])
def place(request: pytest.FixtureRequest) -> str:
    """What is watched."""
    return request.param


@pytest.fixture
def reach(place: str) -> Reach:
    """All of it."""
    reach = Reach([place])
    for kind in WATCHED:
        reach.gain(place, kind)
    return reach


async def test_a_training_whose_jobs_are_not_known_is_given_none(world: World, reach: Reach, place: str):
    reach.lose(place, JOB)
    looks = Looks()
    world.start(reach=reach, meter=looks)
    await world.create()
    await looks.one_more()
    assert world.kafka.topics == {}
    assert await world.status() == {}
    reach.gain(place, JOB)

    async def made() -> bool:
        return len(await world.jobs()) == 3

    await world.until(made)


async def test_a_run_goes_on_when_its_namespace_is_out_of_reach_for_a_while(world: World, reach: Reach, place: str):
    looks = Looks()
    world.start(reach=reach, meter=looks)
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"), *first_model("a"), opened(1, "a", "b"))

    async def running() -> bool:
        return (await world.status()).get("phase") == "Running"

    await world.until(running)
    jobs, before = await world.jobs(), await world.status()
    for kind in WATCHED:
        reach.lose(place, kind)
    await looks.one_more()
    hand.write(*whole_round(1, "a", "b")[1:])
    await looks.one_more()
    assert await world.status() == before
    for kind in WATCHED:
        reach.gain(place, kind)

    async def told() -> bool:
        return ((await world.status()).get("rounds") or {}).get("completed") == 1

    await world.until(told)
    assert {name: job["metadata"]["uid"] for name, job in (await world.jobs()).items()} == {
        name: job["metadata"]["uid"] for name, job in jobs.items()
    }
    hand.write(r.RunCompleted(reason="RoundsDone"))

    async def complete() -> bool:
        return (await world.status()).get("phase") == "Complete"

    await world.until(complete)


def test_a_namespace_is_covered_once_all_kinds_are(reach: Reach, place: str):
    reach.lose(place, POD)
    assert not reach.covers(HERE)
    assert not reach.knows_children(HERE)
    assert reach.covers(HERE, FEDERATED_TRAINING, JOB)
    reach.gain(place, POD)
    assert reach.covers(HERE)


def test_without_names_all_namespaces_are_within_reach():
    assert Reach().covers("anywhere")


def test_who_sees_not_all_of_all_namespaces_is_blind():
    reach, one = Reach([EVERYWHERE]), Reach([HERE])
    assert (reach.blind, one.blind) == (True, False)  # named ones may come later
    for kind in WATCHED:
        reach.gain(EVERYWHERE, kind)
    assert not reach.blind
    reach.lose(EVERYWHERE, POD)
    assert reach.blind


def test_a_change_is_told_once(reach: Reach, place: str):
    told: list[str] = []
    reach.listen(told.append)
    reach.lose(place, JOB)
    reach.lose(place, JOB)
    reach.gain(place, JOB)
    reach.gain(place, JOB)
    assert told == [place, place]
