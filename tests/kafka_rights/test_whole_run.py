"""A whole run on a secured Kafka: the operator makes users and rights, the pods take part with theirs and no others."""

import asyncio
import json
from pathlib import Path

import pytest

from fedka.cli.model_fetch import fetch_model
from fedka.kafka.access import client_settings
from fedka.kafka.errors import AccessRefused
from fedka.kafka.log_view import LogView
from fedka.reconcile.ports import EVENT, FEDERATED_TRAINING, JOB
from fedka.wire.bundle import read_bundle
from fedka.wire.names import RunTopics, run_id

from ..cluster.secured_kafka import SecuredKafka
from ..reconcile.builders import training_object
from .world import World, running

pytestmark = pytest.mark.kafka


@pytest.fixture
def world(secured_kafka: SecuredKafka, tmp_path: Path) -> World:
    return World(secured_kafka, tmp_path)


SPEC = {"app": {"entrypoint": "small:app"}}
WAITING = {
    "participants": [{"name": "a"}, {"name": "b"}, {"name": "never-comes", "mode": "External"}],
    "rounds": {"count": 3, "minAvailable": 3},
}
GOING_ON = {"participants": [{"name": "a"}, {"name": "b"}], "rounds": {"count": 3, "minAvailable": 2}}


async def test_a_run_whose_users_were_deleted_is_trained_read_and_cleaned_up_by_its_own_identities(world: World):
    """The users of its aggregator and of a, with their rights, while it waits for somebody."""
    async with running(world.operator().run, world.node.run):
        made = await world.cluster.apply(training_object(**SPEC, **WAITING), field_manager="user")
        topics = RunTopics(run=run_id("default", "fraud", made["metadata"]["uid"]))

        async def present() -> bool:
            status = ((await world.training()) or {}).get("status", {})
            return status.get("participants", {}).get("present") == 2

        lost = [topics.aggregator_user, topics.participant_user("a")]
        try:
            await world.until(present)
            jobs = await world.job_uids()
            await world.admin.remove_identities(lost)

            async def replaced() -> bool:
                now = await world.job_uids()
                return {member for member, uid in now.items() if jobs[member] != uid} == {"aggregator", "a"}

            await world.until(replaced)
        except TimeoutError:
            pytest.fail(json.dumps((await world.training() or {}).get("status"), indent=1) + world.logs())
        told = [each["note"] for each in await world.cluster.list(EVENT) if each["reason"] == "UsersMadeAgain"]
        assert [user for user in lost if user in " ".join(told)] == lost
        await world.cluster.apply(training_object(**SPEC, **GOING_ON), field_manager="user")

        async def ended() -> bool:
            return await world.phase() in {"Complete", "Failed"}

        try:
            await world.until(ended)
        except TimeoutError:
            pytest.fail(json.dumps((await world.training() or {}).get("status"), indent=1) + world.logs())
        assert await world.phase() == "Complete", world.logs()
        await world.until_users(topics, {topics.reader_user})
        await asyncio.to_thread(aggregator_is_let_in_no_longer, await world.bundle("aggregator"))
        assert await asyncio.to_thread(model_of, await world.bundle("reader"), world.home / "model.safetensors")
        finished = [job["status"]["conditions"][0]["type"] for job in await world.cluster.list(JOB)]
        assert finished == ["Complete"] * 3
        await world.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=made["metadata"]["uid"])

        async def gone() -> bool:
            return await world.training() is None

        await world.until(gone)
    await world.until_users(topics, set())
    assert [name for name in await world.admin.list_topics("") if topics.run in name] == []


def aggregator_is_let_in_no_longer(directory: Path) -> None:
    bundle = read_bundle(directory)
    view = LogView(client_settings(bundle.kafka, directory))
    try:
        with pytest.raises(AccessRefused):
            view.check_topics([bundle.topics.journal], "the aggregator")
    finally:
        view.close()


def model_of(directory: Path, file: Path) -> bytes:
    bundle = read_bundle(directory)
    fetch_model(client_settings(bundle.kafka, directory), bundle.topics, bundle.training, file)
    return file.read_bytes()
