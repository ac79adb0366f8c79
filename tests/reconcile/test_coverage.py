"""What the watch has told, compared with what there is."""

import asyncio
import time
from datetime import UTC, datetime
from random import Random

import pytest

from fedka.api.training import FINALIZER
from fedka.local.cluster import InMemoryCluster
from fedka.local.crd_admission import CrdAdmission
from fedka.plan.settings import KafkaCluster, Settings
from fedka.reconcile.cache import WATCHED, Cache, TrainingKey
from fedka.reconcile.coverage import Coverage, WatchSilent
from fedka.reconcile.operator import Operator
from fedka.reconcile.ports import (
    FEDERATED_TRAINING,
    ClusterUnavailable,
    EventType,
    Forbidden,
    Kind,
    Listing,
    WatchEvent,
)
from fedka.reconcile.reach import Reach
from fedka.wire.bundle import KafkaAccess

from .builders import training_object
from .fakes import FakeKafka


class Watched:
    """A cluster whose watch tells only what the test lets it tell."""

    def __init__(self, *, arrival_seconds: float = 60, reach: Reach | None = None) -> None:
        self.cluster = InMemoryCluster(clock=lambda: datetime.now(UTC), random=Random(1), admission=CrdAdmission())  # noqa: S311  no secrets
        self.cache = Cache()
        self.coverage = Coverage(
            cluster=self.cluster,
            cache=self.cache,
            tell=self.tell,
            reach=reach or Reach(),
            barrier_seconds=0.02,
            arrival_seconds=arrival_seconds,
        )

    def withhold(self, namespace: str) -> None:
        """The cluster says no to a LIST there."""

        async def withheld(_kind: Kind) -> Listing:
            await asyncio.sleep(0)
            return Listing([], frozenset({namespace}))

        self.cluster.list_metadata = withheld

    def tell(self, event: WatchEvent) -> None:
        self.cache.take(event)
        self.coverage.note()

    async def create(self, name: str, *, told: bool = True) -> dict:
        made = await self.cluster.create(training_object(name), field_manager="user")
        if told:
            self.tell(WatchEvent(EventType.ADDED, FEDERATED_TRAINING, made))
        return made


async def test_a_standby_looks_again_before_it_leads():
    """A deletion that its watch missed would have it make the training's topics anew."""
    cluster = InMemoryCluster(clock=lambda: datetime.now(UTC), random=Random(1), admission=CrdAdmission())  # noqa: S311
    kafka, stood_by, may_lead = FakeKafka(), [0.0], asyncio.Event()
    operator = Operator(
        cluster=cluster,
        kafka={"default": kafka.side()},
        settings=Settings({"default": KafkaCluster(KafkaAccess(bootstrap_servers="kafka:9092"))}),
        clock=lambda: datetime.now(UTC),
        monotonic=lambda: time.monotonic() + stood_by[0],
        random=Random(1),  # noqa: S311  no secrets
    )
    begun = training_object("fraud")
    begun["metadata"]["finalizers"] = [FINALIZER]
    made = await cluster.create(begun, field_manager="user")
    uid = made["metadata"]["uid"]
    operator.observe(WatchEvent(EventType.ADDED, FEDERATED_TRAINING, made))
    waits = asyncio.Event()

    async def leading() -> None:
        waits.set()
        await may_lead.wait()

    work = asyncio.create_task(operator.work(leading))
    await asyncio.wait_for(waits.wait(), 60)
    await cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=uid)  # which it is not told
    await cluster.remove_finalizer(
        FEDERATED_TRAINING, "default", "fraud", uid=uid, finalizer=FINALIZER, known=[FINALIZER]
    )
    other = await cluster.create(training_object("other", suspend=True), field_manager="user")
    operator.observe(WatchEvent(EventType.ADDED, FEDERATED_TRAINING, other))
    told = asyncio.Event()  # of the status of one that was made after the one that has gone
    cluster.listen(lambda event, _old: told.set() if "status" in event.object else None)
    stood_by[0] = 600.0
    may_lead.set()
    await asyncio.wait_for(told.wait(), 60)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await operator.close()
    assert kafka.made == 0


async def test_it_is_reached_once_all_that_exists_has_been_told():
    watched = Watched()
    made = await watched.create("fraud", told=False)
    reached = asyncio.ensure_future(watched.coverage.reached())
    done, _ = await asyncio.wait({reached}, timeout=0.05)
    assert not done
    watched.tell(WatchEvent(EventType.ADDED, FEDERATED_TRAINING, made))
    await asyncio.wait_for(reached, 60)


async def test_a_cluster_that_does_not_answer_at_first_is_asked_again():
    watched = Watched()
    await watched.create("fraud")
    answer, answers = watched.cluster.list_metadata, iter([ClusterUnavailable("GET: 504"), ClusterUnavailable("GET")])

    async def list_metadata(kind: Kind) -> Listing:
        if (error := next(answers, None)) is not None:
            raise error
        return await answer(kind)

    watched.cluster.list_metadata = list_metadata
    await asyncio.wait_for(watched.coverage.reached(), 60)
    assert watched.coverage.complete


async def test_a_cluster_that_refuses_ends_the_wait():
    watched = Watched()

    async def list_metadata(_kind: Kind) -> Listing:
        await asyncio.sleep(0)
        raise Forbidden("may not list")

    watched.cluster.list_metadata = list_metadata
    with pytest.raises(Forbidden):
        await watched.coverage.reached()


async def test_what_is_deleted_before_it_was_told_holds_nothing_up():
    watched = Watched()
    made = await watched.create("fraud", told=False)
    reached = asyncio.ensure_future(watched.coverage.reached())
    await asyncio.sleep(0)
    await watched.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=made["metadata"]["uid"])
    await asyncio.wait_for(reached, 60)


async def test_a_watch_that_says_nothing_from_the_start_is_found_out():
    watched = Watched(arrival_seconds=0.06)
    await watched.create("fraud", told=False)
    with pytest.raises(WatchSilent, match="federatedtrainings has not told of 1 objects"):
        await asyncio.wait_for(watched.coverage.reached(), 60)


async def test_a_deletion_that_the_watch_has_missed_is_made_up_for():
    watched = Watched()
    made = await watched.create("fraud")
    await watched.create("churn")
    await watched.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=made["metadata"]["uid"])
    await watched.coverage.restore()
    assert set(watched.cache.keys()) == {TrainingKey("default", "churn")}


async def test_a_watch_that_says_nothing_is_found_out():
    watched = Watched(arrival_seconds=0.06)
    await watched.create("fraud", told=False)
    with pytest.raises(WatchSilent, match="federatedtrainings"):
        await watched.coverage.restore()


async def test_what_the_watch_tells_a_little_later_is_waited_for():
    watched = Watched()
    made = await watched.create("fraud", told=False)
    restored = asyncio.ensure_future(watched.coverage.restore())
    await asyncio.sleep(0)
    watched.tell(WatchEvent(EventType.ADDED, FEDERATED_TRAINING, made))
    await asyncio.wait_for(restored, 60)


async def test_where_the_watch_is_not_let_in_nothing_is_waited_for():
    reach = Reach(["default"])
    watched = Watched(arrival_seconds=0.06, reach=reach)
    await watched.create("fraud", told=False)
    reached = asyncio.ensure_future(watched.coverage.reached())
    done, _ = await asyncio.wait({reached}, timeout=0.05)
    assert not done  # it has not been tried yet
    for kind in WATCHED:
        reach.lose("default", kind)
    await asyncio.wait_for(reached, 60)
    await watched.coverage.restore()


async def test_what_is_out_of_reach_is_not_taken_for_deleted():
    reach = Reach(["default"])
    watched = Watched(reach=reach)
    made = await watched.create("fraud")
    await watched.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=made["metadata"]["uid"])
    await watched.coverage.restore()
    assert watched.cache.keys() == [TrainingKey("default", "fraud")]
    reach.gain("default", FEDERATED_TRAINING)
    await watched.coverage.restore()
    assert watched.cache.keys() == []


async def test_what_a_list_withholds_is_not_taken_for_deleted():
    """The right has gone, and the watch, which stands since before, does not know yet."""
    watched = Watched()
    await watched.create("fraud")
    watched.withhold("default")
    await watched.coverage.restore()
    assert watched.cache.keys() == [TrainingKey("default", "fraud")]
