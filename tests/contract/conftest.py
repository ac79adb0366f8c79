"""What every adapter of the `Cluster` port has to be for the contract suite: a cluster, and hands outside the port.

To put another adapter under the suite, make a `Subject` of it and add its name to `ADAPTERS`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Protocol

import pytest

from fedka.kubernetes.api import Api, path_of
from fedka.kubernetes.cluster import KubernetesCluster
from fedka.kubernetes.login import find_login
from fedka.local.cluster import InMemoryCluster
from fedka.local.crd_admission import CrdAdmission
from fedka.reconcile.ports import NAMESPACE, Cluster, Kind, NotFound

from ..cluster.api_server import ApiServer
from ..local.cluster_faults import UnreliableCluster

IN_MEMORY = "in-memory"
KUBERNETES = "kubernetes"
ADAPTERS = (
    IN_MEMORY,
    "in-memory, seen through an UnreliableCluster without faults",
    pytest.param(KUBERNETES, marks=pytest.mark.kubernetes),
)
GENEROUS_SECONDS = 60
LOOK_SECONDS = 0.05
MANAGER = "contract"


class RawDelete(Protocol):
    """DELETE as anybody may send it, without what the port adds."""

    async def __call__(self, kind: Kind, namespace: str | None, name: str) -> None: ...


@dataclass(frozen=True)
class Subject:
    cluster: Cluster
    namespace: str
    raw_delete: RawDelete


@pytest.fixture(params=ADAPTERS)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == KUBERNETES:
        async for subject in _kubernetes(request.getfixturevalue("api_server")):
            yield subject
        return
    cluster = InMemoryCluster(clock=lambda: datetime.now(UTC), random=Random(1), admission=CrdAdmission())  # noqa: S311  no secrets
    seen: Cluster = cluster
    if request.param != IN_MEMORY:
        seen = UnreliableCluster(cluster, random=Random(2), stale_reads=0, late_events=0)  # noqa: S311  no secrets
    yield Subject(seen, "default", cluster.raw_delete)


async def _kubernetes(server: ApiServer) -> AsyncIterator[Subject]:
    """A namespace of its own on a real server; "all namespaces" are this one, as other tests' objects are about."""
    namespace = await asyncio.to_thread(server.fresh_namespace, "contract")
    api = Api(find_login(kubeconfig=str(server.kubeconfig)))

    async def raw_delete(kind: Kind, namespace: str | None, name: str) -> None:
        await api.send("DELETE", path_of(kind, namespace, name))

    try:
        yield Subject(KubernetesCluster(api, namespaces=(namespace,)), namespace, raw_delete)
    finally:
        await api.close()


@pytest.fixture
def cluster(subject: Subject) -> Cluster:
    return subject.cluster


@pytest.fixture
def namespace(subject: Subject) -> str:
    return subject.namespace


@pytest.fixture
def raw_delete(subject: Subject) -> RawDelete:
    return subject.raw_delete


@pytest.fixture
async def doomed(cluster: Cluster, namespace: str) -> str:
    """A namespace that is being deleted, and is kept from its end by a training's finalizer."""
    name = f"{namespace}-doomed"
    await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, field_manager=MANAGER)
    training = await cluster.create(training_object(name), field_manager=MANAGER)
    uid = training["metadata"]["uid"]
    await cluster.add_finalizer(
        Kind("fedka.dev/v1alpha1", "FederatedTraining", "federatedtrainings"),
        name,
        "fraud",
        uid=uid,
        finalizer="fedka.dev/contract",
        field_manager="contract-finalizer",
    )
    live = await cluster.get(NAMESPACE, None, name)
    await cluster.delete(NAMESPACE, None, name, uid=live["metadata"]["uid"])
    return name


def training_object(namespace: str, name: str = "fraud", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "fedka.dev/v1alpha1",
        "kind": "FederatedTraining",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {
            "app": {"image": "registry.example/fraud:1", "entrypoint": "fraud:app"},
            "rounds": {"count": 3},
            "participants": [{"name": "bank-a"}, {"name": "bank-b"}],
            "suspend": False,
        },
    }


def job_object(namespace: str, name: str = "fraud-job", **metadata: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "registry.example/fraud:1", "command": ["true"]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {
            "backoffLimit": 0,
            "suspend": True,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }


def secret_object(namespace: str, name: str = "bundle", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "data": {"token": "c2VjcmV0"},
    }


def pod_object(namespace: str, name: str = "fraud-pod", **metadata: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "registry.example/fraud:1", "command": ["true"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }


def owner_reference(owner: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


@dataclass(frozen=True)
class Make:
    """Objects in the suite's namespace."""

    namespace: str

    def training(self, name: str = "fraud", **metadata: Any) -> dict[str, Any]:
        return training_object(self.namespace, name, **metadata)

    def job(self, name: str = "fraud-job", **metadata: Any) -> dict[str, Any]:
        return job_object(self.namespace, name, **metadata)

    def secret(self, name: str = "bundle", **metadata: Any) -> dict[str, Any]:
        return secret_object(self.namespace, name, **metadata)

    def pod(self, name: str = "fraud-pod", **metadata: Any) -> dict[str, Any]:
        return pod_object(self.namespace, name, **metadata)

    def owner(self, owner: dict[str, Any]) -> dict[str, Any]:
        return owner_reference(owner)


@pytest.fixture
def make(namespace: str) -> Make:
    return Make(namespace)


@pytest.fixture
def eventually() -> Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]:
    """Wait until a condition holds. It asks now and then: a watch does not tell of what went before it began."""

    async def wait(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(GENEROUS_SECONDS):
            while not await condition():  # noqa: ASYNC110  the condition is in another process
                await asyncio.sleep(LOOK_SECONDS)

    return wait


@pytest.fixture
def gone(
    cluster: Cluster, namespace: str, eventually: Callable[..., Awaitable[None]]
) -> Callable[[Kind, str], Awaitable[None]]:
    """Wait until an object does not exist any more."""

    async def wait(kind: Kind, name: str) -> None:
        async def absent() -> bool:
            try:
                await cluster.get(kind, namespace, name)
            except NotFound:
                return True
            return False

        await eventually(absent)

    return wait
