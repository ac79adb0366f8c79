"""The rights that the chart gives the operator: it needs each of them in the life of one training, and no other."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from random import Random
from typing import Any

import pytest

from fedka.kubernetes.api import Api
from fedka.kubernetes.cluster import KubernetesCluster
from fedka.kubernetes.lease import KubernetesLease
from fedka.kubernetes.login import find_login
from fedka.plan.parts import NewJob
from fedka.plan.settings import KafkaCluster, Settings
from fedka.reconcile.cache import TrainingKey
from fedka.reconcile.children import Children
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.operator import Operator
from fedka.reconcile.ports import FEDERATED_TRAINING, JOB
from fedka.wire import records as r
from fedka.wire.bundle import KafkaAccess
from fedka.wire.names import RunTopics, run_id

from ..cluster.api_server import ApiServer
from ..reconcile.builders import joined, training_object, whole_round
from ..reconcile.fakes import FakeKafka
from .rights import ACCOUNT, Right, Rules, account, lease_rules, namespace_rules, rights_of, role

pytestmark = pytest.mark.kubernetes

GENEROUS_SECONDS = 120
LOOK_SECONDS = 0.1
KAFKA = KafkaCluster(KafkaAccess(bootstrap_servers="kafka:9093"), identities=True)
VERBS = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}
NEVER_ASKED_FOR = {("federatedtrainings/finalizers", "update")}  # the server looks whether an owner may be blocked


def granted() -> Rules:
    """The operator's own, and those of its Lease."""
    return [*namespace_rules(), *lease_rules()]


class Asked:
    """What has been asked of an API server, as rights. Who lists does so in order to watch."""

    def __init__(self) -> None:
        self.rights: set[Right] = set()
        self.refused: list[str] = []

    def note(self, method: str, path: str, code: int) -> None:
        if code == HTTPStatus.FORBIDDEN:
            self.refused.append(f"{method} {path}")
        found = re.fullmatch(r"/apis?/(?:[^/]+/)?v[^/]+/namespaces/[^/]+/([^/]+)(?:/([^/]+))?(?:/([^/]+))?", path)
        resource, name, subresource = found.groups() if found is not None else (path, None, None)
        whole = f"{resource}/{subresource}" if subresource else resource
        verbs = {VERBS[method]} if method != "GET" else {"get"} if name else {"list", "watch"}
        verbs |= {"create"} if code == HTTPStatus.CREATED else set()  # also by an apply
        self.rights |= {(whole, verb) for verb in verbs}


class Installation:
    """An operator with the chart's rights in a namespace, and a user who may do everything there."""

    def __init__(self, user: Api, operator: Api, namespace: str, asked: Asked) -> None:
        self.namespace, self.asked, self.kafka, self.api = namespace, asked, FakeKafka(), operator
        self.user = KubernetesCluster(user, namespaces=[namespace])
        self.cluster = KubernetesCluster(operator, namespaces=[namespace])
        self.operator = Operator(
            cluster=self.cluster,
            kafka={"default": self.kafka.side()},
            settings=Settings({"default": KAFKA}),
            clock=lambda: datetime.now(UTC),
            random=Random(1),  # noqa: S311  no secrets
        )

    async def apply(self, **spec: Any) -> dict[str, Any]:
        wanted = training_object(kafka={"reclaimPolicy": "Retain"}, ttlSecondsAfterFinished=0, **spec)
        wanted["metadata"]["namespace"] = self.namespace
        return await self.user.apply(wanted, field_manager="user")

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(GENEROUS_SECONDS):
            while not await holds():  # noqa: ASYNC110  an API is asked
                await asyncio.sleep(LOOK_SECONDS)

    async def until_jobs(self, *, suspended: bool, **wanted: bool) -> None:
        async def so() -> bool:
            jobs = await self.user.list(JOB)
            found = {job["metadata"]["labels"].get("fedka.dev/participant", "aggregator"): job for job in jobs}
            return found.keys() == wanted.keys() and all(job["spec"]["suspend"] is suspended for job in found.values())

        await self.until(so)


@pytest.fixture
async def installation(api_server: ApiServer) -> AsyncIterator[Installation]:
    namespace = await asyncio.to_thread(api_server.fresh_namespace, "rights")
    await asyncio.to_thread(api_server.apply, account(namespace), *role(namespace, granted(), of=namespace))
    kubeconfig = await asyncio.to_thread(api_server.kubeconfig_for, ACCOUNT, namespace)
    asked = Asked()
    user = Api(find_login(kubeconfig=str(api_server.kubeconfig)))
    operator = Api(find_login(kubeconfig=str(kubeconfig)), answered=asked.note)
    installation = Installation(user, operator, namespace, asked)
    work = asyncio.create_task(installation.operator.run())
    try:
        yield installation
    finally:
        await installation.operator.stop()
        await asyncio.wait_for(work, GENEROUS_SECONDS)
        await operator.close()
        await user.close()


async def test_the_life_of_a_training_takes_each_right_of_the_chart_and_no_other(installation: Installation):
    made = await installation.apply()
    await installation.until_jobs(suspended=False, aggregator=True, a=True, b=True)
    topics = RunTopics(run=run_id(installation.namespace, "fraud", made["metadata"]["uid"]))
    hand = installation.kafka.aggregator(topics)
    hand.write(*joined("a", "b"), *whole_round(1, "a", "b"))
    await installation.apply(suspend=True)
    hand.write(r.RunSuspended())
    await installation.until_jobs(suspended=True, aggregator=True, a=True, b=True)
    await installation.apply(participants=[{"name": "a"}])
    await installation.until_jobs(suspended=False, aggregator=True, a=True)
    await of_moments_that_seldom_come(installation, made)
    hand.write(r.RunResumed(), r.RunCompleted(reason="RoundsDone"))

    async def gone() -> bool:
        return await installation.user.list(FEDERATED_TRAINING) == []

    await installation.until(gone)
    assert installation.asked.refused == []
    assert installation.asked.rights == rights_of(granted()) - NEVER_ASKED_FOR


async def of_moments_that_seldom_come(installation: Installation, training: dict[str, Any]) -> None:
    """A Job that the cache does not know yet, an event that is told again, and the Lease, which only a process has."""
    job = next(job for job in await installation.user.list(JOB))
    metadata = {key: value for key, value in job["metadata"].items() if key in {"name", "namespace", "labels"}}
    spec = {"template": {"spec": job["spec"]["template"]["spec"]}}
    again = NewJob(metadata["name"], {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec})
    memory = RunMemory(uid=training["metadata"]["uid"])
    key = TrainingKey(installation.namespace, "fraud")
    await Children(installation.cluster, key, memory, generation=1, now=datetime.now(UTC)).make_job(again)
    for _ in range(2):
        await installation.cluster.record_event(
            training, severity="Normal", reason="Told", action="Tell", note="It is told twice."
        )
    lease = KubernetesLease(installation.api, installation.namespace, "fedka")
    assert await lease.read() is None
    written = await lease.write({"spec": {"holderIdentity": "one"}})
    await lease.write({"metadata": written["metadata"], "spec": {"holderIdentity": "another"}})
