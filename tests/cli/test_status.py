"""`fedka status`, drawn from a resource in a cluster."""

import json
from collections.abc import Mapping

import pytest

from fedka.cli.errors import CommandFailed
from fedka.cli.source import NoSuchTraining
from fedka.cli.status import status
from fedka.local.cluster import InMemoryCluster
from fedka.reconcile.ports import Kind, NotFound

from .clusters import NOW, Shop, condition

RUNNING = {
    "phase": "Running",
    "startTime": "2026-01-01T11:58:45Z",
    "rounds": {
        "current": 3, "completed": 2, "total": 5, "selected": 2, "accepted": 1,
        "history": [{"round": 2, "durationSeconds": "1.25", "accepted": 2, "rejected": 1}],
    },
    "participants": {
        "total": 2, "present": 1, "detail": [
            {"name": "bank-b", "state": "Rejected", "reason": "OutOfRange", "message": "a number is not finite"},
            {"name": "bank-a", "state": "Training", "lastRound": 2},
        ],
    },
    "model": {"round": 2, "digest": "blake3:abc", "topic": "t", "metrics": [{"name": "loss", "value": "0.25"}]},
    "conditions": [
        condition("Ready", "True", "Running"),
        condition("KafkaReady", "False", "KafkaUnreachable", "no answer from kafka:9093"),
        condition("Stalled", "False", "NotStalled"),
    ],
}  # fmt: skip


async def shown(shop: Shop, capsys, name: str = "tiny") -> str:
    await status(shop.source(name), output=None, clock=lambda: NOW)
    return capsys.readouterr().out


async def test_one_screen_tells_how_it_stands(capsys):
    shop = Shop()
    await shop.submit()
    await shop.report(RUNNING)
    lines = (await shown(shop, capsys)).splitlines()
    assert lines[0].split("  ") == ["tiny", "Running", "FedAvg", "1:15"]
    assert "2/5 rounds, round 3: 1 of 2 updates, 1 of 2 participants present" in lines[1]
    text = "\n".join(lines)
    assert "OutOfRange: a number is not finite" in text
    assert "model: round 2  blake3:abc  loss 0.25" in text
    assert lines[-1] == "next: follow it: fedka watch tiny"


async def test_only_conditions_that_are_amiss_are_shown(capsys):
    shop = Shop()
    await shop.submit()
    await shop.report(RUNNING)
    text = await shown(shop, capsys)
    assert "KafkaUnreachable: no answer from kafka:9093" in text
    assert "NotStalled" not in text


async def test_what_is_to_be_done_is_not_cut_off_a_long_message(capsys):
    shop = Shop()
    await shop.submit()
    message = f"Job {'x' * 200} has made no pod; kubectl describe job tiny-a"
    detail = [{"name": "bank-a", "state": "Starting", "reason": "NoPod", "message": message}]
    await shop.report({"phase": "Provisioning", "participants": {"total": 1, "detail": detail}})
    assert "kubectl describe job tiny-a" in " ".join((await shown(shop, capsys)).split())


NEXT = [
    ({"phase": "Complete"}, "next: get the model: fedka model get tiny -o tiny.safetensors"),
    ({"phase": "Failed"}, "next: see what the aggregator said: fedka logs tiny --aggregator"),
    (
        {"phase": "Failed", "conditions": [
            condition("Stalled", "True", "TooManyMissedRounds"), condition("Failed", "True", "TooManyMissedRounds"),
        ]},
        "next: see which updates did not count: fedka rounds tiny",
    ),
    (
        {"phase": "Provisioning", "conditions": [condition("KafkaReady", "False", "KafkaCredentialsRefused")]},
        "next: pods wait for Kafka: see KafkaReady above",
    ),
    ({"phase": "Suspended"}, "next: go on: fedka resume tiny"),
    ({"phase": "Running", "conditions": [condition("Stalled", "True", "X")]}, "until the cause above is mended"),
    ({}, "next: no operator has seen it yet"),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "step"), NEXT)
async def test_next_step_fits_the_phase(capsys, seen, step):
    shop = Shop()
    await shop.submit()
    if seen:
        await shop.report(seen)
    assert step in await shown(shop, capsys)


async def test_waiting_names_who_is_missing_and_how_each_gets_there(capsys):
    shop = Shop(namespace="bank", program="kubectl fedka")
    await shop.submit(participants=[{"name": "bank-a"}, {"name": "bank-b", "mode": "External"}])
    detail = [{"name": "bank-a", "state": "Failed"}, {"name": "bank-b", "state": "Pending"}]
    await shop.report({"phase": "WaitingForParticipants", "participants": {"total": 2, "detail": detail}})
    text = await shown(shop, capsys)
    assert "kubectl fedka bundle tiny bank-b -o bank-b.json -n bank" in text
    assert "bank-a has not started; see why: kubectl fedka logs tiny bank-a -n bank" in text


async def test_json_is_the_resource(capsys):
    shop = Shop()
    await shop.submit()
    await status(shop.source(), output="json", clock=lambda: NOW)
    assert json.loads(capsys.readouterr().out)["metadata"]["name"] == "tiny"


async def test_unknown_name_lists_those_that_are_near():
    shop = Shop()
    await shop.submit("fraud")
    await shop.submit("other")
    with pytest.raises(NoSuchTraining, match=r"no training frau in namespace default: did you mean fraud\? there are"):
        await shop.source("frau").training()


async def test_namespace_without_trainings_says_so():
    with pytest.raises(NoSuchTraining, match="there is none; name another namespace with -n"):
        await Shop().source().training()


class WithoutFedka(InMemoryCluster):
    """A cluster that has never heard of the kind."""

    async def list(self, kind: Kind, *, namespace: str | None = None, labels: Mapping[str, str] | None = None):
        raise NotFound(f"404 page not found: {kind.plural} of {namespace}, {labels}")


async def test_cluster_without_the_crd_says_what_to_install():
    with pytest.raises(CommandFailed, match="does not know FederatedTrainings: install Fedka first"):
        await Shop(kind=WithoutFedka).source().training()
