"""Watches, from which the operator's cache is fed, and the events it tells users."""

import asyncio
import contextlib

import pytest

from fedka.reconcile.ports import EVENT, FEDERATED_TRAINING, JOB, SECRET, EventType, Invalid

GENEROUS_SECONDS = 60


async def test_a_watch_begins_with_what_exists(cluster, make):
    await cluster.create(make.training(), field_manager="user")
    async with asyncio.timeout(GENEROUS_SECONDS), contextlib.aclosing(cluster.watch([FEDERATED_TRAINING])) as changes:
        event = await anext(changes)
    assert (event.type, event.kind, event.object["metadata"]["name"]) == (EventType.ADDED, FEDERATED_TRAINING, "fraud")


async def test_a_watch_tells_every_later_change(cluster, make, namespace):
    created = await cluster.create(make.secret(), field_manager="user")
    async with asyncio.timeout(GENEROUS_SECONDS), contextlib.aclosing(cluster.watch([SECRET])) as changes:
        seen = [await _next_of(changes, "bundle")]
        await cluster.apply(make.secret(labels={"app": "fedka"}), field_manager="user")
        seen.append(await _next_of(changes, "bundle"))
        await cluster.delete(SECRET, namespace, "bundle", uid=created["metadata"]["uid"])
        seen.append(await _next_of(changes, "bundle"))
    assert [event.type for event in seen] == [EventType.ADDED, EventType.MODIFIED, EventType.DELETED]
    assert seen[1].object["metadata"]["labels"] == {"app": "fedka"}
    assert seen[2].object["metadata"]["uid"] == created["metadata"]["uid"]


async def test_a_watch_tells_only_the_kinds_asked_for(cluster, make):
    async with asyncio.timeout(GENEROUS_SECONDS), contextlib.aclosing(cluster.watch([JOB])) as changes:
        await cluster.create(make.secret(), field_manager="user")
        await cluster.create(make.job(), field_manager="user")
        event = await anext(changes)
    assert event.kind == JOB


async def test_two_watches_see_the_same(cluster, make):
    async with (
        asyncio.timeout(GENEROUS_SECONDS),
        contextlib.aclosing(cluster.watch([SECRET])) as one,
        contextlib.aclosing(cluster.watch([SECRET])) as two,
    ):
        await cluster.create(make.secret(), field_manager="user")
        assert (await anext(one)).object == (await anext(two)).object


async def test_an_event_names_what_it_regards(cluster, make, namespace):
    training = await cluster.create(make.training(), field_manager="user")
    await cluster.record_event(
        training, severity="Normal", reason="RunStarted", action="Start", note="The run has started."
    )
    events = await cluster.list(EVENT, namespace=namespace)
    assert [event["regarding"]["uid"] for event in events] == [training["metadata"]["uid"]]
    assert [(event["type"], event["reason"], event["note"]) for event in events] == [
        ("Normal", "RunStarted", "The run has started.")
    ]


async def test_an_event_said_again_counts_up(cluster, make, namespace):
    training = await cluster.create(make.training(), field_manager="user")
    for _ in range(3):
        await cluster.record_event(
            training, severity="Warning", reason="KafkaUnavailable", action="Provision", note="No broker answers."
        )
    (event,) = await cluster.list(EVENT, namespace=namespace)
    assert event["series"]["count"] == 3


async def test_an_event_of_another_severity_is_refused(cluster, make):
    training = await cluster.create(make.training(), field_manager="user")
    with pytest.raises(Invalid):
        await cluster.record_event(training, severity="Error", reason="Bad", action="Try", note="No such type.")


@pytest.mark.parametrize("note", ["x" * 1025, "é" * 513], ids=["ascii", "of two bytes a character"])
async def test_a_note_that_is_too_long_is_refused(cluster, make, note):
    training = await cluster.create(make.training(), field_manager="user")
    with pytest.raises(Invalid):
        await cluster.record_event(training, severity="Normal", reason="Long", action="Try", note=note)


async def _next_of(changes, name):
    while (event := await anext(changes)).object["metadata"]["name"] != name:
        pass
    return event
