"""Jobs of a training on a real API server, made as the operator makes them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from fedka.kubernetes.api import Api
from fedka.kubernetes.cluster import KubernetesCluster
from fedka.kubernetes.login import find_login
from fedka.plan.jobs import job_manifest
from fedka.plan.parts import NewJob
from fedka.plan.snapshot import JobView, Role
from fedka.reconcile.cache import TrainingKey
from fedka.reconcile.children import Children
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.ports import JOB, POD, NotFound
from fedka.reconcile.views import job_view

from ..cluster.api_server import ApiServer
from ..plan.case_files import UID, load

GENEROUS_SECONDS = 120
LOOK_SECONDS = 0.2


class Jobs:
    """One training's children on a real API."""

    def __init__(self, cluster: KubernetesCluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.memory = RunMemory(uid=UID)
        key = TrainingKey(namespace, "fraud")
        self.children = Children(cluster, key, self.memory, generation=1, now=datetime.now(UTC))

    async def make(self, participant: str) -> str:
        manifest = job_manifest(load({"now": 0, "journal": []}), Role.PARTICIPANT, participant)
        manifest["metadata"]["namespace"] = self.namespace
        del manifest["metadata"]["ownerReferences"]  # the garbage collector finds no such training
        name: str = manifest["metadata"]["name"]
        await self.children.make_job(NewJob(name, manifest))
        return name

    async def until(self, name: str, holds: Callable[[JobView, int], bool]) -> JobView:
        """Look until the Job's view and the number of its pods are as wanted."""
        async with asyncio.timeout(GENEROUS_SECONDS):
            while True:
                view = job_view(await self.cluster.get(JOB, self.namespace, name))
                pods = await self.cluster.list(POD, namespace=self.namespace, labels={"job-name": name})
                if view is not None and holds(view, len(pods)):
                    return view
                await asyncio.sleep(LOOK_SECONDS)

    async def until_gone(self, name: str) -> None:
        """Look until neither the Job nor a pod of it is there."""
        async with asyncio.timeout(GENEROUS_SECONDS):
            with contextlib.suppress(NotFound):
                await self.until(name, lambda _, __: False)
            while await self.cluster.list(POD, namespace=self.namespace, labels={"job-name": name}):  # noqa: ASYNC110  an API is asked
                await asyncio.sleep(LOOK_SECONDS)


@contextlib.asynccontextmanager
async def jobs_in(server: ApiServer, namespace: str) -> AsyncIterator[Jobs]:
    """Of a namespace that there is."""
    api = Api(find_login(kubeconfig=str(server.kubeconfig)))
    try:
        yield Jobs(KubernetesCluster(api), namespace)
    finally:
        await api.close()
