"""Events are news: one that cannot be recorded is neither the end of the others nor of the work."""

from typing import Any

import pytest

from fedka.plan.parts import EventNote
from fedka.reconcile.apply import NotLeaderError
from fedka.reconcile.ports import EVENT, ClusterUnavailable, Forbidden
from fedka.reconcile.telling import Teller

from .conftest import World

NOTES = [EventNote("Normal", reason, "Reconcile", f"about {reason}") for reason in ("First", "Second", "Third")]


class DeafCluster:
    """A cluster that takes no event of these reasons."""

    def __init__(self, world: World, error: Exception, *reasons: str) -> None:
        self._inner, self._error, self._reasons = world.cluster, error, reasons

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def record_event(self, regarding: Any, *, reason: str, **said: Any) -> None:
        if reason in self._reasons:
            raise self._error
        await self._inner.record_event(regarding, reason=reason, **said)


def lead() -> None:
    """Go on."""


@pytest.mark.parametrize("error", [ClusterUnavailable("no answer"), Forbidden("being terminated")])
async def test_an_event_that_fails_is_logged_and_the_others_are_told(world: World, error: Exception, caplog):
    await world.create()
    await Teller(DeafCluster(world, error, "Second"), await world.training() or {}, check_leader=lead).tell(NOTES)
    assert sorted(await world.events()) == ["First", "Third"]
    assert f"default/fraud: event Second (about Second) was not recorded: {error}" in caplog.messages


@pytest.mark.parametrize("letter", ["x", "é", "€", "🙂"])
async def test_a_long_note_is_cut_at_what_the_cluster_takes_and_not_within_a_letter(world: World, letter: str):
    await world.create()
    note = EventNote("Warning", "Long", "Reconcile", letter * 2000)
    await Teller(world.cluster, await world.training() or {}, check_leader=lead).tell([note])
    (event,) = await world.cluster.list(EVENT)
    assert event["note"] == letter * (1024 // len(letter.encode()))


async def test_who_leads_no_longer_tells_nothing(world: World):
    def lost() -> None:
        raise NotLeaderError("another operator has taken over")

    await world.create()
    with pytest.raises(NotLeaderError):
        await Teller(world.cluster, await world.training() or {}, check_leader=lost).tell(NOTES)
    assert await world.cluster.list(EVENT) == []


async def test_an_event_that_fails_does_not_fail_the_reconcile_that_made_it(world: World, caplog):
    world.start(DeafCluster(world, ClusterUnavailable("no answer"), "Provisioning"))
    topics = await world.create()
    await world.started(topics)

    async def waiting() -> bool:
        return (await world.status()).get("phase") == "WaitingForParticipants"

    await world.until(waiting)
    await world.stop()
    assert any("event Provisioning" in message for message in caplog.messages)
    assert [
        record for record in caplog.records if "no answer" in record.message and "was not" not in record.message
    ] == []
