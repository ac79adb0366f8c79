"""A cluster shown late and out of order: what may differ, and what may not."""

import asyncio
import contextlib
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from fedka.local.cluster import InMemoryCluster
from fedka.local.crd_admission import CrdAdmission
from fedka.reconcile.ports import SECRET, Conflict, NotFound

from .cluster_faults import UnreliableCluster

GENEROUS_SECONDS = 60


def secret(name="bundle", **metadata: Any):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default", **metadata}}


@pytest.fixture
def inner():
    return InMemoryCluster(clock=lambda: datetime.now(UTC), random=Random(1), admission=CrdAdmission())  # noqa: S311


def unreliable(inner, *, stale_reads=0.0, late_events=0.0, seed=3):
    return UnreliableCluster(
        inner,
        random=Random(seed),  # noqa: S311  no secrets
        stale_reads=stale_reads,
        late_events=late_events,
    )


async def test_a_stale_read_shows_an_earlier_state(inner):
    cluster = unreliable(inner, stale_reads=1.0)
    await cluster.create(secret(labels={"step": "0"}), field_manager="test")
    for step in range(1, 5):
        await cluster.apply(secret(labels={"step": str(step)}), field_manager="test")
    seen = set()
    for _ in range(100):
        with contextlib.suppress(NotFound):  # as it was before it was created
            seen.add((await cluster.get(SECRET, "default", "bundle"))["metadata"]["labels"]["step"])
    assert seen == {"0", "1", "2", "3", "4"}


async def test_a_stale_list_may_show_what_has_gone(inner):
    cluster = unreliable(inner, stale_reads=1.0)
    created = await cluster.create(secret(), field_manager="test")
    await cluster.delete(SECRET, "default", "bundle", uid=created["metadata"]["uid"])
    lengths = {len(await cluster.list(SECRET)) for _ in range(50)}
    assert lengths == {0, 1}


async def test_writing_on_stale_news_is_a_conflict(inner):
    cluster = unreliable(inner)
    stale = await cluster.create(secret(), field_manager="test")
    await cluster.apply(secret(labels={"step": "1"}), field_manager="test")
    with pytest.raises(Conflict):
        await cluster.apply(secret(resourceVersion=stale["metadata"]["resourceVersion"]), field_manager="test")


async def test_after_healing_reads_are_fresh(inner):
    cluster = unreliable(inner, stale_reads=1.0)
    for step in range(5):
        await cluster.apply(secret(labels={"step": str(step)}), field_manager="test")
    cluster.heal()
    fresh = [await cluster.get(SECRET, "default", "bundle") for _ in range(20)]
    assert {obj["metadata"]["labels"]["step"] for obj in fresh} == {"4"}


async def watched(inner, late_events):
    """Names and versions of 30 changes of three Secrets, in the order in which a watch shows them."""
    names, shown = ("one", "two", "three"), []
    cluster = unreliable(inner, late_events=late_events)
    for name in names:
        await cluster.create(secret(name), field_manager="test")
    async with asyncio.timeout(GENEROUS_SECONDS), contextlib.aclosing(cluster.watch([SECRET])) as changes:
        for _ in names:  # what exists: from here on the watch has begun
            await anext(changes)
        for step in range(10):
            for name in names:
                await cluster.apply(secret(name, labels={"step": str(step)}), field_manager="test")
        while len(shown) < 30:
            metadata = (await anext(changes)).object["metadata"]
            shown.append((metadata["name"], int(metadata["resourceVersion"])))
    return shown


async def test_late_events_keep_the_order_of_each_object_only(inner):
    shown = await watched(inner, 0.7)
    assert shown != sorted(shown, key=lambda entry: entry[1])
    for name in ("one", "two", "three"):
        versions = [version for other, version in shown if other == name]
        assert versions == sorted(versions)
        assert len(versions) == 10


async def test_without_late_events_the_order_is_kept(inner):
    shown = await watched(inner, 0.0)
    assert shown == sorted(shown, key=lambda entry: entry[1])
