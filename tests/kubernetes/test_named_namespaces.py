"""An operator of some namespaces, with the chart's rights: one that goes, comes, or loses its Role concerns no other,
and what is in one that is deleted comes to its end.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer

from ..cluster.waiting import wait_until
from .operators import GENEROUS_SECONDS, OperatorProcess, Operators, training
from .relay import Relay, through_relay
from .rights import (
    ACCOUNT,
    account,
    cluster_role,
    deleted_namespaces_rules,
    lease_rules,
    namespace_rules,
    role,
)

pytestmark = [pytest.mark.kubernetes, pytest.mark.kafka]
DELETION_SECONDS = 300  # pods get a minute to end, and the namespace's controller looks ever more rarely
CHILDREN = 3


class World:
    """Namespaces `one` and `two` with the chart's Role, `later` that does not exist yet."""

    def __init__(self, operators: Operators, kafka: KafkaServer) -> None:
        self.operators, self.server = operators, operators.server
        self.operators.bootstrap_servers = self.bootstrap_servers = kafka.bootstrap_servers
        self.own = operators.namespace
        self.one, self.two, self.later = (f"{self.own}-{name}" for name in ("one", "two", "later"))
        for name in (self.one, self.two):
            self.server.create_namespace(name)
            self.give_role(name)
        rights = cluster_role(f"{self.own}-deleted", deleted_namespaces_rules(), of=self.own)
        self.server.apply(account(self.own), *role(self.own, lease_rules(), of=self.own), *rights)
        self.kubeconfig = self.server.kubeconfig_for(ACCOUNT, self.own)

    def give_role(self, namespace: str) -> None:
        self.server.apply(*role(namespace, namespace_rules(), of=self.own))

    def start(self) -> OperatorProcess:
        return self.operators.start(kubeconfig=self.kubeconfig, watchNamespaces=[self.one, self.two, self.later])

    def apply(self, namespace: str, name: str = "fraud", **spec: Any) -> None:
        self.server.apply(training(**spec) | {"metadata": {"name": name, "namespace": namespace}})

    def jobs(self, namespace: str) -> dict[str, str]:
        found = self.server.get("jobs", f"--namespace={namespace}")["items"]
        return {job["metadata"]["name"]: job["metadata"]["uid"] for job in found}

    def until_made(self, namespace: str) -> None:
        assert wait_until(lambda: len(self.jobs(namespace)) == CHILDREN, GENEROUS_SECONDS)

    def until_looked_at(self, namespace: str, name: str) -> None:
        """A new training, which has nothing to do but to say so."""
        self.apply(namespace, name, suspend=True)
        condition = "--for=jsonpath={.status.phase}=Suspended"
        timeout = f"--timeout={GENEROUS_SECONDS:.0f}s"
        self.server.kubectl("wait", f"ft/{name}", condition, timeout, f"--namespace={namespace}")

    def delete(self, namespace: str) -> None:
        self.server.kubectl("delete", "namespace", namespace, "--wait=false")

    def until_gone(self, namespace: str) -> None:
        self.server.kubectl("wait", "--for=delete", f"namespace/{namespace}", f"--timeout={DELETION_SECONDS}s")

    def topics(self, namespace: str) -> list[str]:
        listed = AdminClient({"bootstrap.servers": self.bootstrap_servers}).list_topics(timeout=GENEROUS_SECONDS)
        return sorted(name for name in listed.topics if f".{namespace}." in name)


@pytest.fixture
def world(operators: Operators, kafka: KafkaServer) -> Iterator[World]:
    world = World(operators, kafka)
    yield world
    world.server.kubectl("delete", "clusterrole,clusterrolebinding", f"{world.own}-deleted")


@pytest.fixture
def relay(world: World) -> Iterator[Relay]:
    with through_relay(world.kubeconfig) as relay:
        yield relay


def test_a_namespace_that_is_deleted_ends_while_others_go_on_and_come(world: World, relay: Relay):
    operator = world.start()
    operator.until_said(r"leads")
    operator.until_said(f"namespace {world.later} is left alone")
    world.apply(world.one)
    world.until_made(world.one)
    assert world.topics(world.one)
    world.delete(world.one)
    world.until_gone(world.one)
    assert world.topics(world.one) == []
    relay.cut()
    operator.until_said(f"namespace {world.one} is left alone")
    world.until_looked_at(world.two, "fraud")
    world.server.create_namespace(world.later)
    world.give_role(world.later)
    operator.until_said(f"namespace {world.later} is watched now")
    world.until_looked_at(world.later, "fraud")
    figures = operator.ask("metrics")
    for name, watched in ((world.one, 0.0), (world.two, 1.0), (world.later, 1.0)):
        assert f'fedka_namespace_watched{{namespace="{name}"}} {watched}' in figures
    assert operator.log.read_text().count(f"namespace {world.one} is left alone") == 1
    assert operator.stop() == exit_codes.OK


def test_after_a_restart_a_deleted_namespace_ends_while_a_run_elsewhere_outlives_the_loss_of_its_role(
    world: World, relay: Relay
):
    """Both at once, as pods that nobody may look at any more are given a minute to end."""
    operator = world.start()
    world.apply(world.one)
    world.apply(world.two)
    world.until_made(world.one)
    world.until_made(world.two)
    jobs, topics = world.jobs(world.two), world.topics(world.two)
    assert operator.stop() == exit_codes.OK
    world.delete(world.one)
    bindings = ("rolebindings", f"--namespace={world.one}")
    assert wait_until(lambda: not world.server.get(*bindings)["items"], GENEROUS_SECONDS)
    operator = world.start()
    operator.until_said(r"leads")
    world.server.kubectl("delete", f"rolebinding/{ACCOUNT}", f"--namespace={world.two}")
    relay.cut()
    operator.until_said(f"namespace {world.two} is left alone")
    world.give_role(world.two)
    operator.until_said(f"namespace {world.two} is watched now")
    world.until_looked_at(world.two, "another")
    assert world.jobs(world.two) == jobs
    assert world.topics(world.two) == topics
    status = world.server.get("ft/fraud", f"--namespace={world.two}")["status"]
    assert status["phase"] not in {"Failed", "Complete"}
    world.until_gone(world.one)
    assert world.topics(world.one) == []
    assert operator.stop() == exit_codes.OK
