"""`fedka watch`: a resource followed to its end, in lines."""

import asyncio
from datetime import datetime

import pytest

from fedka import exit_codes
from fedka.cli.errors import CommandFailed
from fedka.cli.watch import watch
from fedka.reconcile.ports import FEDERATED_TRAINING

from .clusters import NOW, Shop, condition

PATIENCE = 60


def status(phase: str, rounds: int, *, present: int = 2, **detail: object) -> dict[str, object]:
    history = [{"round": n, "durationSeconds": "0.5", "accepted": 2} for n in range(1, rounds + 1)]
    return {
        "phase": phase,
        "rounds": {"current": rounds, "completed": rounds, "total": 3, "history": history},
        "participants": {"total": 2, "present": present, "detail": [{"name": "bank-b", "state": "Training", **detail}]},
        "conditions": [condition(phase, "True", "AllRoundsDone", "3 of 3")] if phase in ("Complete", "Failed") else [],
    }


async def followed(shop: Shop, *statuses: dict[str, object], quiet: bool = False) -> int:
    """The exit code, after the operator has written these."""
    async with asyncio.timeout(PATIENCE):
        watching = await begun(shop, quiet=quiet)
        for each in statuses:
            await shop.report(each)
        return await watching


async def begun(shop: Shop, *, quiet: bool = False) -> "asyncio.Task[int]":
    """The watching of a training that has a status, once it has told something."""
    first_line = asyncio.Event()

    def clock() -> datetime:
        first_line.set()
        return NOW

    watching = asyncio.create_task(watch(shop.source(), quiet=quiet, clock=clock))
    await first_line.wait()
    return watching


async def test_each_round_is_told_once_and_the_end_with_its_model(capsys):
    shop = Shop()
    await shop.submit()
    await shop.report(status("Running", 1))
    code = await followed(shop, status("Running", 2), status("Running", 3), status("Complete", 3))
    said = capsys.readouterr()
    assert code == exit_codes.OK
    told = [line.split(" ", 1)[1] for line in said.err.splitlines()]
    assert told == [
        "phase Running",
        "after round 1 of 3",
        "2 of 2 participants present",
        "round 2/3  0.50 s  2 updates",
        "round 3/3  0.50 s  2 updates",
    ]
    assert said.out.startswith("tiny: Complete (AllRoundsDone: 3 of 3)")
    assert "fedka logs tiny" in said.out


async def test_restarts_of_the_aggregator_are_told(capsys):
    shop = Shop()
    await shop.submit()
    await shop.report(status("Running", 0))
    fails = condition("AggregatorReady", "False", "AggregatorRestarting", "restart 1: out of memory")
    await followed(shop, status("Running", 0) | {"conditions": [fails]}, status("Failed", 0))
    assert "AggregatorRestarting: restart 1: out of memory" in capsys.readouterr().err


async def test_trouble_of_a_participant_is_told_once(capsys):
    shop = Shop()
    await shop.submit()
    await shop.report(status("Running", 0))
    lost = status("Running", 0, present=1, state="Lost", reason="NotHeardOf", message="it has been silent")
    code = await followed(shop, lost, {**lost, "startTime": "2026-01-01T00:00:00Z"}, status("Failed", 0))
    said = capsys.readouterr().err
    assert code == exit_codes.RUN_FAILED
    assert said.count("bank-b Lost: NotHeardOf: it has been silent") == 1
    assert "tiny: Failed (AllRoundsDone: 3 of 3)" in said


async def test_quiet_shows_trouble_only(capsys):
    shop = Shop()
    await shop.submit()
    lost = status("Running", 1, state="Lost", reason="NotHeardOf", message="it has been silent")
    await shop.report(lost)
    assert await followed(shop, status("Complete", 3), quiet=True) == exit_codes.OK
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1


async def test_deleted_training_ends_it():
    shop = Shop()
    made = await shop.submit()
    await shop.report(status("Running", 1))
    async with asyncio.timeout(PATIENCE):
        watching = await begun(shop)
        await shop.cluster.delete(FEDERATED_TRAINING, "default", "tiny", uid=made.metadata.uid)
        with pytest.raises(CommandFailed, match="training tiny has been deleted"):
            await watching
