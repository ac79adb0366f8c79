"""`fedka rounds` and `fedka model get`: of the status, and of a run's own topics."""

import csv
import io
import json

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from safetensors.numpy import load_file

from fedka.cli.errors import CommandFailed
from fedka.cli.model_fetch import NoModel
from fedka.cli.model_get import get_model
from fedka.cli.rounds import rounds
from fedka.cli.source import ReaderUnavailable
from fedka.plan.snapshot import Role
from fedka.wire.bundle import Bundle, KafkaAccess

from ..integration.rig import Rig
from .clusters import Shop

HISTORY = [
    {"round": 11, "durationSeconds": "1.5", "accepted": 2, "metrics": [{"name": "loss", "value": "0.5"}]},
    {"round": 12, "missed": True, "accepted": 1, "rejected": 1},
]
STATUS = {
    "phase": "Running",
    "rounds": {"current": 12, "completed": 11, "missed": 1, "total": 20, "history": HISTORY},
    "participants": {
        "total": 2,
        "detail": [
            {"name": "bank-b", "state": "Present", "rejections": 3, "reason": "OutOfRange", "message": "too big"}
        ],
    },
}


async def shop_with(status: dict[str, object]) -> Shop:
    shop = Shop()
    await shop.submit()
    await shop.report(status)
    return shop


async def test_without_the_right_to_read_the_run_the_last_ten_are_said_to_be_that(capsys):
    await rounds((await shop_with(STATUS)).source(), output=None, bootstrap_servers=None)
    said = capsys.readouterr()
    cells = [line.split() for line in said.out.splitlines()]
    assert cells == [
        ["Round", "Seconds", "Accepted", "Rejected", "loss"], ["11", "1.5", "2", "0", "0.5"], ["12", "missed", "1"],
    ]  # fmt: skip
    assert "these are the last 2 rounds, as the status has them; for all of them: there is no Secret" in said.err
    assert "bank-b: 3 rejected in all, the last: OutOfRange (too big)" in said.err


async def test_csv_has_a_column_for_each_metric(capsys):
    await rounds((await shop_with(STATUS)).source(), output="csv", bootstrap_servers=None)
    first, second = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert first == {
        "round": "11",
        "seconds": "1.5",
        "accepted": "2",
        "rejected": "0",
        "missed": "false",
        "loss": "0.5",
    }
    assert second["missed"] == "true"
    assert second["loss"] == ""


@pytest.fixture
def rig(kafka, tmp_path):
    rig = Rig(kafka.bootstrap_servers, tmp_path / "rig", ["bank-a", "bank-b"], coordinates=2000)
    rig.spec(rounds={"count": 12})
    rig.aggregator.start()
    rig.join()
    rig.completed()
    yield rig
    rig.close()


async def shop_of(rig: Rig) -> Shop:
    """A cluster whose training is the rig's run, and whose user may get the reader's Secret."""
    shop = await shop_with({**STATUS, "rounds": {"completed": 12, "total": 12, "history": HISTORY}})
    access = KafkaAccess(bootstrap_servers="kafka.inside:9092")
    bundle = Bundle(role="reader", run=rig.topics.run, training="tiny", namespace="default", kafka=access)
    files = {"bundle.json": bundle.model_dump_json(by_alias=True, exclude_none=True).encode()}
    await shop.secret(await shop.source().training(), Role.READER, files)
    return shop


@pytest.mark.kafka
async def test_reader_sees_all_rounds_by_the_journal(rig, capsys):
    await rounds((await shop_of(rig)).source(), output="json", bootstrap_servers=rig.bootstrap)
    told = json.loads(capsys.readouterr().out)["rounds"]
    assert [each["round"] for each in told] == list(range(1, 13))
    assert {each["accepted"] for each in told} == {2}
    assert all(each["seconds"] > 0 for each in told)


@pytest.mark.parametrize(("place", "why"), [("no/m", "there is no directory .*no; make it"), ("", "is a directory")])
async def test_place_that_takes_no_model_is_refused_before_anything_is_read(tmp_path, place, why):
    with pytest.raises(CommandFailed, match=f"-o .*{why}"):
        await get_model(Shop().source(), tmp_path / place, round_number=None, bootstrap_servers=None)


@pytest.mark.kafka
async def test_reader_gets_the_newest_model_verified(rig, tmp_path, capsys):
    file = tmp_path / "model.safetensors"
    await get_model((await shop_of(rig)).source(), file, round_number=None, bootstrap_servers=rig.bootstrap)
    digest = rig.journal.state.model.pointer.digest
    assert capsys.readouterr().out == f"{file}: the model of round 12, blake3:{digest}\n"
    assert sum(tensor.size for tensor in load_file(file).values()) == 2000


@pytest.mark.kafka
async def test_reader_gets_the_model_of_a_round(rig, tmp_path, capsys):
    file = tmp_path / "model.safetensors"
    await get_model((await shop_of(rig)).source(), file, round_number=11, bootstrap_servers=rig.bootstrap)
    assert "the model of round 11" in capsys.readouterr().out
    with pytest.raises(
        NoModel, match=r"round 13 of run .* has made no global model; the newest is that of round 12: retained are "
    ):
        await get_model((await shop_of(rig)).source(), file, round_number=13, bootstrap_servers=rig.bootstrap)
    first = min(rig.journal.state.model.pointer.offsets())
    admin = AdminClient({"bootstrap.servers": rig.bootstrap})
    for deletion in admin.delete_records([TopicPartition(rig.topics.model, 0, first)]).values():
        deletion.result()
    why = "round 11 is no longer in Kafka: retained are those of rounds 12; spec"
    with pytest.raises(NoModel, match=why):
        await get_model((await shop_of(rig)).source(), file, round_number=11, bootstrap_servers=rig.bootstrap)


async def test_without_a_reader_there_is_no_model(tmp_path):
    shop = await shop_with(STATUS)
    with pytest.raises(ReaderUnavailable, match="there is no Secret default/tiny-reader-"):
        await get_model(shop.source(), tmp_path / "m", round_number=None, bootstrap_servers=None)
