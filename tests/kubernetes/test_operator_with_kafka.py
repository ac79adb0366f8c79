"""The whole control plane on a real API server and a real Kafka; only pods do not run, as there is no node."""

import pytest
from confluent_kafka.admin import AdminClient

from fedka.local.kafka_server import KafkaServer

from ..cluster.waiting import wait_until
from .operators import GENEROUS_SECONDS, Operators, training

pytestmark = [pytest.mark.kubernetes, pytest.mark.kafka]
CHILDREN = 3


@pytest.fixture
def world(operators: Operators, kafka: KafkaServer) -> Operators:
    operators.bootstrap_servers = kafka.bootstrap_servers
    return operators


def jobs(world: Operators) -> list[str]:
    return sorted(job["metadata"]["name"] for job in world.get("jobs")["items"])


def until_made(world: Operators) -> None:
    assert wait_until(lambda: len(jobs(world)) == CHILDREN, GENEROUS_SECONDS), world.processes[-1].log.read_text()


def lasting(world: Operators) -> list[object]:
    """What of the status stays as it is once a run has begun."""
    status = world.get("ft/fraud")["status"]
    return [status[name] for name in ("kafkaId", "startTime", "images", "appliedGeneration", "observedGeneration")]


def topics(kafka: KafkaServer, world: Operators) -> list[str]:
    """Of this test's namespace."""
    found = AdminClient({"bootstrap.servers": kafka.bootstrap_servers}).list_topics(timeout=GENEROUS_SECONDS).topics
    return sorted(name for name in found if f".{world.namespace}." in name)


def test_a_training_is_provisioned_and_leaves_nothing_behind(world: Operators, kafka: KafkaServer):
    world.start()
    world.apply(training())
    until_made(world)
    assert len(topics(kafka, world)) == 7
    assert "the run's topics and pods are being made" in world.kubectl("describe", "ft/fraud")
    world.kubectl("delete", "ft/fraud", f"--timeout={GENEROUS_SECONDS:.0f}s")
    assert topics(kafka, world) == []
    assert wait_until(lambda: not jobs(world) and not world.get("secrets")["items"], GENEROUS_SECONDS)


def test_an_operator_killed_while_it_provisions_is_followed_by_one_that_goes_on(world: Operators, kafka: KafkaServer):
    one = world.start()
    one.until_said(r"leads")
    world.apply(training())
    assert wait_until(lambda: bool(topics(kafka, world)), GENEROUS_SECONDS)
    one.kill()
    world.start()
    until_made(world)
    assert len(topics(kafka, world)) == 7


def test_an_operator_that_starts_again_changes_nothing(world: Operators):
    one = world.start()
    world.apply(training())
    until_made(world)
    world.until("ft/fraud", ".status.appliedGeneration", "1")
    assert one.stop() == 0
    before = {name: world.get(f"job/{name}")["metadata"]["uid"] for name in jobs(world)}
    status = lasting(world)
    two = world.start()
    two.until_said(r"leads")
    assert wait_until(lambda: 'outcome="done"} 0.0' not in two.ask("metrics"), GENEROUS_SECONDS)
    assert {name: world.get(f"job/{name}")["metadata"]["uid"] for name in jobs(world)} == before
    assert lasting(world) == status


def test_a_secret_deleted_by_hand_is_made_again(world: Operators):
    """That of an External participant: nobody else would miss it."""
    world.start(resyncSeconds=1)
    participants = [{"name": "bank-a"}, {"name": "bank-b"}, {"name": "bank-c", "mode": "External"}]
    world.apply(training(participants=participants))
    until_made(world)
    selector = "--selector=fedka.dev/participant=bank-c"

    def bundles() -> list[str]:
        return [secret["metadata"]["uid"] for secret in world.get("secrets", selector)["items"]]

    assert wait_until(lambda: bool(bundles()), GENEROUS_SECONDS)
    lost = bundles()
    world.kubectl("delete", "secrets", selector)
    assert wait_until(lambda: bool(bundles()) and bundles() != lost, GENEROUS_SECONDS)


def test_a_namespace_that_is_deleted_takes_the_topics_with_it(world: Operators, kafka: KafkaServer):
    world.start(leaseNamespace="default")
    world.apply(training())
    until_made(world)
    world.server.kubectl("delete", "namespace", world.namespace, f"--timeout={GENEROUS_SECONDS:.0f}s")
    assert topics(kafka, world) == []
