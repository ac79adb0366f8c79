"""`fedka suspend` and `fedka resume`."""

import asyncio

import pytest

from fedka.cli.connection import FIELD_MANAGER
from fedka.cli.errors import CommandFailed
from fedka.cli.switch import switch
from fedka.reconcile.ports import FEDERATED_TRAINING

from .clusters import Shop, condition

PATIENCE = 60


async def test_only_suspend_is_changed_and_owned():
    shop = Shop()
    before = await shop.submit()
    await switch(shop.cluster, shop.source(), suspend=True, wait=False)
    after = await shop.source().training()
    assert after.spec == before.spec.model_copy(update={"suspend": True})
    await switch(shop.cluster, shop.source(), suspend=False, wait=False)
    assert (await shop.source().training()).spec == before.spec
    assert FIELD_MANAGER == "fedka-cli"


async def test_what_is_so_already_is_said(capsys):
    shop = Shop()
    await shop.submit()
    await switch(shop.cluster, shop.source(), suspend=False, wait=False)
    assert "is not to be suspended already" in capsys.readouterr().err


async def test_ended_run_is_refused():
    shop = Shop()
    await shop.submit()
    await shop.report({"phase": "Complete"})
    with pytest.raises(CommandFailed, match="training tiny is Complete: there is nothing to suspend"):
        await switch(shop.cluster, shop.source(), suspend=True, wait=False)


async def test_waiting_ends_when_the_operator_says_so_of_this_generation(capsys):
    shop = Shop()
    await shop.submit()
    async with asyncio.timeout(PATIENCE):
        switching = asyncio.create_task(switch(shop.cluster, shop.source(), suspend=True, wait=True))
        await shop.suspended_by_spec()
        old = {**condition("Suspended", "True", "SuspendedBySpec"), "observedGeneration": 1}
        await shop.report({"phase": "Running", "conditions": [old]})
        assert not switching.done()
        await shop.report({"phase": "Suspended", "conditions": [{**old, "observedGeneration": 2}]})
        await switching
    assert "tiny is suspended" in capsys.readouterr().err


async def test_waiting_ends_where_somebody_takes_it_back():
    shop = Shop()
    await shop.submit()
    async with asyncio.timeout(PATIENCE):
        switching = asyncio.create_task(switch(shop.cluster, shop.source(), suspend=True, wait=True))
        await shop.suspended_by_spec()
        live = await shop.cluster.get(FEDERATED_TRAINING, "default", "tiny")
        patch = {
            "apiVersion": live["apiVersion"],
            "kind": live["kind"],
            "metadata": {"name": "tiny", "namespace": "default"},
        }
        await shop.cluster.apply({**patch, "spec": {"suspend": False}}, field_manager="gitops")
        with pytest.raises(CommandFailed, match="the other way"):
            await switching
