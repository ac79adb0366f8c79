"""What the operator does with Kafka users and their passwords, from the first Secret to the last revocation."""

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import pytest

from fedka.api.training import FederatedTraining
from fedka.plan.parts import Identity, TopicSpec
from fedka.plan.settings import KafkaCluster
from fedka.plan.snapshot import Trouble
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.ports import FEDERATED_TRAINING, SECRET
from fedka.reconcile.provisioning import Login
from fedka.wire import records as r
from fedka.wire.bundle import Bundle, KafkaAccess
from fedka.wire.names import RunTopics

from .builders import joined, opened, whole_round
from .conftest import World
from .fakes import FakeKafka, FakeTopic

CA = "-----BEGIN CERTIFICATE-----"


@pytest.fixture
def world(world: World) -> World:
    world.kafka_cluster = KafkaCluster(KafkaAccess(bootstrap_servers="kafka:9093"), ca=CA, identities=True)
    return world


async def secrets_of(world: World) -> dict[str, dict[str, Any]]:
    """By participant, `aggregator` or `reader`."""
    found = {}
    for secret in await world.cluster.list(SECRET):
        labels = secret["metadata"]["labels"]
        found[labels.get("fedka.dev/participant", labels["fedka.dev/role"])] = secret
    return found


def text(secret: dict[str, Any], file: str) -> str:
    return b64decode(secret["data"][file]).decode()


def users(topics: RunTopics, *participants: str) -> set[str]:
    return {topics.aggregator_user, topics.reader_user, *(topics.participant_user(name) for name in participants)}


async def delete_secret(world: World, member: str) -> None:
    metadata = (await secrets_of(world))[member]["metadata"]
    await world.cluster.delete(SECRET, "default", metadata["name"], uid=metadata["uid"])


async def until_users(world: World, wanted: set[str]) -> None:
    async def so() -> bool:
        return set(world.kafka.users) == wanted

    await world.until(so)


async def test_each_pod_has_a_user_and_its_secret_the_password(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    assert set(world.kafka.users) == users(topics, "a", "b")
    found = await secrets_of(world)
    assert set(found) == {"aggregator", "a", "b", "reader"}
    for member, secret in found.items():
        bundle = Bundle.model_validate(json.loads(text(secret, "bundle.json")))
        login = world.kafka.users[bundle.kafka.username or ""]
        assert text(secret, bundle.kafka.password_file or "") == login.password
        assert text(secret, bundle.kafka.ca_file or "") == CA
        assert bundle.kafka.security_protocol == "SASL_SSL"
        assert bundle.role == (member if member in {"aggregator", "reader"} else "participant")
    assert len({login.password for login in world.kafka.users.values()}) == 4


async def test_a_job_is_made_only_once_its_user_is(world: World):
    world.kafka.identity_refusal = "the operator lacks Alter on the cluster"
    world.start()
    await world.create()

    async def said() -> bool:
        return await world.condition("KafkaReady") == ("False", "ProvisioningRefused")

    await world.until(said)
    assert await world.jobs() == {}


async def test_a_restarted_operator_makes_no_user_again(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"))
    await world.stop()
    before, made = await secrets_of(world), list(world.kafka.upserted)
    world.start()
    await world.change(rounds={"count": 5})

    async def delivered() -> bool:
        return (await world.status()).get("appliedGeneration") == 2

    await world.until(delivered)
    assert world.kafka.upserted == made
    assert await secrets_of(world) == before


async def test_a_secret_deleted_under_running_pods_means_a_new_password_and_new_pods(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    password, job = world.kafka.users[topics.participant_user("a")].password, (await world.jobs())["a"]
    other = (await world.jobs())["b"]["metadata"]["uid"]
    await world.stop()
    await delete_secret(world, "a")
    world.start()

    async def anew() -> bool:
        found = (await world.jobs()).get("a")
        return found is not None and found["metadata"]["uid"] != job["metadata"]["uid"]

    await world.until(anew)
    login = world.kafka.users[topics.participant_user("a")]
    assert login.password != password
    assert text((await secrets_of(world))["a"], "password") == login.password
    assert (await world.jobs())["b"]["metadata"]["uid"] == other


async def test_a_secret_deleted_by_hand_is_missed_when_all_is_looked_at_again(world: World):
    world.start(resync_seconds=0.05)
    topics = await world.create()
    await world.started(topics)
    await delete_secret(world, "reader")

    async def made_again() -> bool:
        secret = (await secrets_of(world)).get("reader")
        return secret is not None and text(secret, "password") == world.kafka.users[topics.reader_user].password

    await world.until(made_again)


async def test_a_secret_that_is_replaced_keeps_its_password(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    before = (await secrets_of(world))["a"]
    await world.change(suspend=True)
    hand.write(r.RunSuspended())

    async def suspended() -> bool:
        return all(job["spec"]["suspend"] for job in (await world.jobs()).values())

    await world.until(suspended)
    await world.change(suspend=False, participants=[{"name": "a", "config": {"rate": "1"}}, {"name": "b"}])

    async def replaced() -> bool:
        return (await secrets_of(world))["a"]["metadata"]["uid"] != before["metadata"]["uid"]

    await world.until(replaced)
    assert (await secrets_of(world))["a"]["data"]["password"] == before["data"]["password"]


async def test_users_that_kafka_has_lost_are_made_again_with_their_passwords_before_their_pods(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    lost = topics.participant_user("a")
    login, job, made = world.kafka.users.pop(lost), (await world.jobs())["a"], len(world.kafka.upserted)
    await world.fail_pod("a", "12:00:00 ERROR   a: Kafka refuses its user or a right of it: no such user")

    async def anew() -> bool:
        found = (await world.jobs()).get("a")
        return found is not None and found["metadata"]["uid"] != job["metadata"]["uid"]

    await world.until(anew)
    assert world.kafka.upserted[made:] == [lost]
    assert world.kafka.users[lost] == login
    assert text((await secrets_of(world))["a"], "password") == login.password
    await world.until_told("UsersMadeAgain")


async def test_a_pod_that_fails_of_anything_else_has_its_user_left_alone(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    job, made = (await world.jobs())["a"], list(world.kafka.upserted)
    await world.fail_pod("a", "12:00:00 ERROR   a: the app raised", exit_code=1)

    async def anew() -> bool:
        found = (await world.jobs()).get("a")
        return found is not None and found["metadata"]["uid"] != job["metadata"]["uid"]

    await world.until(anew)
    assert world.kafka.upserted == made


async def test_an_external_participants_user_that_was_lost_is_made_again_when_all_is_looked_at_again(world: World):
    world.start(resync_seconds=0.05)
    topics = await world.create(participants=[{"name": "a"}, {"name": "b"}, {"name": "c", "mode": "External"}])
    await world.started(topics)
    lost = topics.participant_user("c")
    login = world.kafka.users.pop(lost)

    async def made_again() -> bool:
        return world.kafka.users.get(lost) == login

    await world.until(made_again)
    assert "UsersMadeAgain" not in await world.events()


async def test_an_ended_run_leaves_only_the_reader(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"), r.RunCompleted(reason="RoundsDone"))
    for member in ("aggregator", "a", "b"):
        await world.end_job(member, succeeded=True)
    await until_users(world, {topics.reader_user})


async def test_a_pod_that_still_reads_that_the_run_has_ended_is_let_do_so(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"), r.RunCompleted(reason="RoundsDone"))
    for member in ("aggregator", "b"):
        await world.end_job(member, succeeded=True)
    await until_users(world, {topics.reader_user, topics.participant_user("a")})


async def test_a_removed_participant_loses_its_user_once_its_round_has_closed(world: World):
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"), opened(0, "a"))
    await world.change(participants=[{"name": "b"}])

    async def delivered() -> bool:
        return (await world.status()).get("appliedGeneration") == 2

    await world.until(delivered)
    assert topics.participant_user("a") in world.kafka.users
    hand.write(*whole_round(0, "a"), r.ParticipantRemoved(participant="a"))
    await until_users(world, users(topics, "b"))
    assert topics.update("a") in world.kafka.topics


async def test_who_comes_back_under_the_same_name_is_another(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    password = world.kafka.users[topics.participant_user("a")].password
    await world.change(participants=[{"name": "b"}])

    async def gone() -> bool:
        return "a" not in await secrets_of(world)

    await world.until(gone)
    await world.change(participants=[{"name": "a"}, {"name": "b"}])

    async def back() -> bool:
        return "a" in await world.jobs()

    await world.until(back)
    assert world.kafka.users[topics.participant_user("a")].password != password


async def test_who_comes_back_is_another_although_the_operator_was_away_when_it_left(world: World):
    world.start()
    topics = await world.create()
    await world.started(topics)
    user = topics.participant_user("a")
    password = world.kafka.users[user].password
    await world.stop()
    await world.change(participants=[{"name": "b"}])
    world.start()
    await until_users(world, users(topics, "b"))
    await world.change(participants=[{"name": "a"}, {"name": "b"}])
    await until_users(world, users(topics, "a", "b"))
    assert world.kafka.users[user].password != password
    assert text((await secrets_of(world))["a"], "password") == world.kafka.users[user].password


@pytest.mark.parametrize("reclaim", ["Delete", "Retain"])
async def test_a_deleted_training_takes_all_its_users_along_and_nobody_elses(world: World, reclaim: str):
    world.start()
    topics = await world.create(kafka={"reclaimPolicy": reclaim})
    other = RunTopics(run="default.fraud-2.00000000")
    world.kafka.users[other.aggregator_user] = Login(Identity(other.aggregator_user, ()), "theirs")
    world.kafka.topics[other.model] = FakeTopic("theirs", TopicSpec(other.model, 1))
    await world.started(topics)
    await world.change(participants=[{"name": "b"}], kafka={"reclaimPolicy": reclaim})
    uid = (await world.training())["metadata"]["uid"]
    await world.cluster.delete(FEDERATED_TRAINING, "default", "fraud", uid=uid)
    await world.until_gone()
    assert set(world.kafka.users) == {other.aggregator_user}
    assert (topics.model in world.kafka.topics) is (reclaim == "Retain")
    assert other.model in world.kafka.topics


async def test_a_namespace_that_the_kafka_cluster_is_not_for_stalls(world: World):
    world.kafka_cluster = KafkaCluster(
        KafkaAccess(bootstrap_servers="kafka:9093"), identities=True, allowed_namespaces=frozenset({"bank"})
    )
    world.start()
    await world.create()

    async def stalled() -> bool:
        return await world.condition("Stalled") == ("True", "NamespaceNotAllowed")

    await world.until(stalled)
    assert world.kafka.topics == {}
    await world.until_told("NamespaceNotAllowed")


async def test_a_job_that_is_labelled_as_ours_opens_no_kafka_to_a_namespace(world: World):
    world.kafka_cluster = KafkaCluster(
        KafkaAccess(bootstrap_servers="kafka:9093"), identities=True, allowed_namespaces=frozenset({"bank"})
    )
    await world.create()
    training = FederatedTraining.from_object((await world.training()) or {})
    labels = {"fedka.dev/training": "fraud", "fedka.dev/training-uid": training.metadata.uid}
    pod = {"spec": {"restartPolicy": "Never", "containers": [{"name": "participant", "image": "trojan:1"}]}}
    metadata = {"name": "trojan", "namespace": "default", "labels": labels | {"fedka.dev/role": "participant"}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": pod}}
    await world.cluster.create(job, field_manager="somebody")
    world.start()

    async def stalled() -> bool:
        return await world.condition("Stalled") == ("True", "NamespaceNotAllowed")

    await world.until(stalled)
    assert world.kafka.topics == {}


async def test_participants_beyond_the_limit_get_nothing_and_the_run_goes_on(world: World):
    world.kafka_cluster = KafkaCluster(KafkaAccess(bootstrap_servers="kafka:9093"), identities=True, max_participants=2)
    world.start()
    topics = await world.create()
    hand = await world.started(topics)
    hand.write(*joined("a", "b"))
    await world.change(participants=[{"name": "a"}, {"name": "b"}, {"name": "c"}])

    async def stalled() -> bool:
        return await world.condition("Stalled") == ("True", "TooManyParticipants")

    await world.until(stalled)
    assert topics.update("c") not in world.kafka.topics
    assert set(world.kafka.users) == users(topics, "a", "b")
    await world.change(participants=[{"name": "a"}, {"name": "b"}])

    async def healed() -> bool:
        return (await world.condition("Stalled"))[0] == "False"

    await world.until(healed)


async def test_an_answer_about_users_ends_a_trouble_as_any_other_does():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    memory = RunMemory(uid="1", trouble=Trouble("the operator lacks Alter on the cluster", now, refused=True))
    await FakeKafka().side().look_up_users(RunTopics(run="default.fraud.1a2b3c4d"), memory)
    assert memory.users == set()
    assert memory.trouble is None


async def test_a_kafka_that_refuses_the_operators_password_is_not_called_unreachable(world: World):
    world.kafka.denied = True
    world.start()
    topics = await world.create()

    async def said() -> bool:
        return await world.condition("KafkaReady") == ("False", "KafkaCredentialsRefused")

    await world.until(said)
    world.kafka.denied, world.kafka.available = False, False

    async def away() -> bool:
        return await world.condition("KafkaReady") == ("False", "KafkaUnreachable")

    await world.until(away)
    world.kafka.available = True
    await world.started(topics)
    await world.until_told("KafkaCredentialsRefused", "KafkaUnreachable", "KafkaReachable")
