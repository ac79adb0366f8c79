"""`fedka logs`: what the pods of a training have said."""

import asyncio

import pytest

from fedka.cli.errors import CommandFailed
from fedka.cli.pod_logs import Logs, Wanted

from .clusters import Shop, condition

PATIENCE = 60


async def shop_with_pods() -> Shop:
    shop = Shop()
    made = await shop.submit(participants=[{"name": "bank-a"}, {"name": "bank-b"}, {"name": "far", "mode": "External"}])
    await shop.pod(made, None, ["epoch 1"])
    await shop.pod(made, "bank-a", ["a 1", "a 2"])
    await shop.pod(made, "bank-b", ["b 1"])
    return shop


async def shown(shop: Shop, wanted: Wanted, capsys) -> list[str]:
    await Logs(shop.source(), wanted).show()
    return capsys.readouterr().out.splitlines()


async def test_several_pods_are_told_apart_by_what_stands_before_the_line(capsys):
    lines = await shown(await shop_with_pods(), Wanted(), capsys)
    assert lines == ["aggregator | epoch 1", "bank-a | a 1", "bank-a | a 2", "bank-b | b 1"]


async def test_one_participants_lines_are_as_they_are(capsys):
    assert await shown(await shop_with_pods(), Wanted("bank-a"), capsys) == ["a 1", "a 2"]


async def test_aggregator_alone(capsys):
    assert await shown(await shop_with_pods(), Wanted(aggregator=True), capsys) == ["epoch 1"]


async def test_last_lines_only(capsys):
    assert await shown(await shop_with_pods(), Wanted("bank-a", tail=1), capsys) == ["a 2"]


async def test_pod_that_has_not_started_says_why(capsys):
    shop = Shop()
    made = await shop.submit()
    await shop.pod(made, "bank-a", None, phase="Pending")
    await Logs(shop.source(), Wanted("bank-a")).show()
    assert "bank-a has no log yet: its container has not started" in capsys.readouterr().err


async def test_earlier_pod_that_is_gone_leaves_its_last_words_in_the_status():
    shop = await shop_with_pods()
    detail = [{"name": "bank-a", "state": "Failed", "reason": "ExitCode1", "message": "no disk"}]
    await shop.report({"phase": "Running", "participants": {"total": 3, "detail": detail}})
    with pytest.raises(
        CommandFailed, match=r"(?s)no earlier pod is left.*bank-a, in the status: Failed, ExitCode1: no"
    ):
        await Logs(shop.source(), Wanted("bank-a")).show(previous=True)


async def test_participant_without_a_pod_is_told_of_as_the_status_has_it():
    shop = Shop()
    await shop.submit(participants=[{"name": "bank-a"}, {"name": "bank-b"}])
    detail = [
        {"name": "bank-a", "state": "Starting", "reason": "NoPod", "message": "its namespace may refuse it"},
        {"name": "bank-b", "state": "Pending"},
    ]
    suspended = condition("Ready", "True", "SuspendedBySpec", "suspended as spec.suspend asks")
    stopped = condition("AggregatorReady", "False", "AggregatorSuspended", "no aggregator runs")
    participants = {"total": 2, "detail": detail}
    await shop.report({"phase": "Suspended", "conditions": [suspended, stopped], "participants": participants})

    async def said(wanted: Wanted) -> list[str]:
        with pytest.raises(CommandFailed) as refused:
            await Logs(shop.source(), wanted).show()
        first, training, *rest, hint = str(refused.value).splitlines()
        assert first == "there is no pod to show a log of"
        assert training == "the training is Suspended, SuspendedBySpec: suspended as spec.suspend asks"
        assert hint == "(how it is: fedka status tiny)"
        return rest

    of_a = "bank-a, in the status: Starting, NoPod: its namespace may refuse it"
    of_aggregator = "aggregator, in the status: AggregatorSuspended: no aggregator runs"
    assert await said(Wanted("bank-a")) == [of_a]
    assert await said(Wanted("bank-b")) == ["bank-b, in the status: Pending"]
    assert await said(Wanted(aggregator=True)) == [of_aggregator]
    assert await said(Wanted()) == [of_aggregator, of_a]


async def test_training_that_no_operator_has_seen_has_no_pod():
    shop = Shop()
    await shop.submit()
    with pytest.raises(CommandFailed, match="has not been seen by an operator yet"):
        await Logs(shop.source(), Wanted("bank-a")).show()


@pytest.mark.parametrize(
    ("who", "why"),
    [("far", "far is External: its log is where its owner runs it"), ("nobody", "there are: bank-a, bank-b, far")],
)
async def test_whose_log_there_cannot_be_is_said(who, why):
    with pytest.raises(CommandFailed, match=why):
        await Logs((await shop_with_pods()).source(), Wanted(who)).show()


async def test_following_takes_up_new_pods_and_ends_with_the_run(capsys):
    shop = await shop_with_pods()
    made = await shop.source().training()
    async with asyncio.timeout(PATIENCE):
        following = asyncio.create_task(Logs(shop.source(), Wanted("bank-a")).follow())
        assert await shop.asked.get() == ("default", True)
        await shop.pod(made, "bank-a", ["a again"], number=1)
        assert await shop.asked.get() == ("default", True)
        await shop.report({"phase": "Complete"})
        await following
    assert capsys.readouterr().out.splitlines() == ["a 1", "a 2", "a again"]


async def test_reader_that_has_gone_ends_the_following(monkeypatch):
    class Gone:
        def write(self, _text: str) -> None:
            raise BrokenPipeError

    shop = await shop_with_pods()
    monkeypatch.setattr("sys.stdout", Gone())
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(BrokenPipeError):
            await Logs(shop.source(), Wanted("bank-a")).follow()
