"""A hospital outside of the cluster: from the bundle to the model, over TLS with identities of its own."""

import asyncio
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.cli.cluster_source import ClusterSource
from fedka.cli.connection import ClusterPlace, Connection
from fedka.cli.handover import hand_over
from fedka.cli.model_get import get_model
from fedka.cli.rounds import rounds
from fedka.reconcile.ports import FEDERATED_TRAINING
from fedka.wire.names import RunTopics, run_id

from ..cluster.secured_kafka import SecuredKafka
from ..kafka_rights.world import APP, World, running
from ..reconcile.builders import training_object
from .clusters import Shop

pytestmark = pytest.mark.kafka

SPEC = {
    "app": {"entrypoint": "small:app"},
    "rounds": {"count": 12},
    "participants": [{"name": "bank-a"}, {"name": "bank-b", "mode": "External"}],
}


@pytest.fixture
def world(secured_kafka: SecuredKafka, tmp_path: Path) -> World:
    return World(secured_kafka, tmp_path)


async def test_outside_participant_joins_by_its_bundle_and_the_reader_gets_the_model(world, directory, capsys):
    directory.path.joinpath("small.py").write_text(APP)
    shop = Shop()
    source = ClusterSource(Connection(world.cluster, "default", shop, shop.judge, ClusterPlace()), "fraud")
    async with running(world.operator().run, world.node.run):
        await world.cluster.apply(training_object(**SPEC), field_manager="user")

        async def waits_for_the_outside() -> bool:
            return await world.phase() == "WaitingForParticipants"

        await world.until(waits_for_the_outside)
        await hand_over(source, "bank-b", str(directory.path / "bank-b.json"), force=False)
        joined = await asyncio.to_thread(directory.fedka, "join", "--bundle", "bank-b.json")

        async def ended() -> bool:
            return await world.phase() in {"Complete", "Failed"}

        await world.until(ended)
        assert joined.process.returncode == exit_codes.OK, joined.stderr
        assert "round 12: update accepted" in joined.stderr
        assert await world.phase() == "Complete"

        await get_model(source, directory.path / "m.safetensors", round_number=None, bootstrap_servers=None)
        assert "the model of round 12" in capsys.readouterr().out
        await rounds(source, output="csv", bootstrap_servers=None)
        assert len(capsys.readouterr().out.splitlines()) == 1 + 12

        training = await source.training()
        topics = RunTopics(run=run_id("default", "fraud", training.metadata.uid))
        outside = topics.participant_user("bank-b")  # may read for a minute that the run has ended
        await world.until_users(topics, {topics.reader_user, outside})
        await world.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=training.metadata.uid)
        await world.until_users(topics, set())
        again = await asyncio.to_thread(directory.fedka, "join", "--bundle", "bank-b.json")
        assert again.process.returncode == exit_codes.CONFIG
        assert "it is wrong, or the user has been revoked" in again.stderr
