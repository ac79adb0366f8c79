"""What the operator does to Jobs and NetworkPolicies, done to a real API server and a real Job controller."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fedka.kubernetes.api import Api
from fedka.kubernetes.cluster import KubernetesCluster
from fedka.kubernetes.login import find_login
from fedka.plan.jobs import job_manifest
from fedka.plan.network import network
from fedka.plan.parts import JobDeletion, JobPatch, NewJob
from fedka.plan.snapshot import JobView, Role
from fedka.reconcile.cache import TrainingKey
from fedka.reconcile.children import Children
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.ports import JOB, NETWORK_POLICY, POD, NotFound
from fedka.reconcile.views import job_view

from ..cluster.api_server import ApiServer
from ..plan.case_files import UID, load, with_egress

pytestmark = pytest.mark.kubernetes

NAMESPACE = "jobs-of-a-run"
GENEROUS_SECONDS = 120
LOOK_SECONDS = 0.2


class Jobs:
    """One training's children on a real API."""

    def __init__(self, cluster: KubernetesCluster) -> None:
        self.cluster = cluster
        key, memory = TrainingKey(NAMESPACE, "fraud"), RunMemory(uid=UID)
        self.children = Children(cluster, key, memory, generation=1, now=datetime.now(UTC))

    async def make(self, participant: str) -> str:
        manifest = job_manifest(load({"now": 0, "journal": []}), Role.PARTICIPANT, participant)
        manifest["metadata"]["namespace"] = NAMESPACE
        del manifest["metadata"]["ownerReferences"]  # the garbage collector finds no such training
        name: str = manifest["metadata"]["name"]
        await self.children.make_job(NewJob(name, manifest))
        return name

    async def until(self, name: str, holds: Callable[[JobView, int], bool]) -> JobView:
        """Look until the Job's view and the number of its pods are as wanted."""
        async with asyncio.timeout(GENEROUS_SECONDS):
            while True:
                view = job_view(await self.cluster.get(JOB, NAMESPACE, name))
                pods = await self.cluster.list(POD, namespace=NAMESPACE, labels={"job-name": name})
                if view is not None and holds(view, len(pods)):
                    return view
                await asyncio.sleep(LOOK_SECONDS)

    async def until_gone(self, name: str) -> None:
        """Look until neither the Job nor a pod of it is there."""
        async with asyncio.timeout(GENEROUS_SECONDS):
            with contextlib.suppress(NotFound):
                await self.until(name, lambda _, __: False)
            while await self.cluster.list(POD, namespace=NAMESPACE, labels={"job-name": name}):  # noqa: ASYNC110  an API is asked
                await asyncio.sleep(LOOK_SECONDS)


@pytest.fixture
async def jobs(api_server: ApiServer) -> AsyncIterator[Jobs]:
    await asyncio.to_thread(api_server.create_namespace, NAMESPACE)
    api = Api(find_login(kubeconfig=str(api_server.kubeconfig)))
    yield Jobs(KubernetesCluster(api))
    await api.close()


async def test_a_suspended_job_has_no_pod_and_begins_anew_when_resumed(jobs: Jobs):
    name = await jobs.make("a")
    job = await jobs.until(name, lambda view, pods: view.started is not None and pods == 1)
    await jobs.children.patch_job(JobPatch(name, job.uid, suspend=True))
    await jobs.until(name, lambda view, pods: view.suspended and view.started is None and pods == 0)
    kept = await jobs.cluster.get(JOB, NAMESPACE, name)
    assert "startTime" in kept["status"]  # until it is resumed: what it says then is of no use
    await jobs.children.patch_job(JobPatch(name, job.uid, suspend=False))
    again = await jobs.until(name, lambda view, pods: view.started is not None and pods == 1)
    assert job.started is not None
    assert again.started is not None
    assert again.started >= job.started


async def test_a_deadline_ends_a_pod_that_hangs_and_leaves_the_job(jobs: Jobs):
    name = await jobs.make("b")
    job = await jobs.until(name, lambda view, pods: view.started is not None and pods == 1)
    await jobs.children.patch_job(JobPatch(name, job.uid, suspend=False, deadline_seconds=1))
    ended = await jobs.until(name, lambda view, pods: view.finished is not None and pods == 0)
    assert ended.finished is not None
    assert not ended.finished.succeeded
    assert "DeadlineExceeded" in ended.finished.message
    await jobs.children.patch_job(JobPatch(name, job.uid, suspend=True, deadline_seconds=1))  # late, and no harm


async def test_a_deleted_job_takes_its_pod_along(jobs: Jobs):
    name = await jobs.make("c")
    job = await jobs.until(name, lambda _, pods: pods == 1)
    await jobs.children.delete_job(JobDeletion(name, job.uid))
    await jobs.until_gone(name)


async def test_a_network_policy_loses_the_rule_that_is_left_out(jobs: Jobs):
    snapshot = load({"now": 0, "journal": []})
    rule = {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}
    for case, egress in ((with_egress(snapshot, [rule]), [rule]), (snapshot, None)):
        policy, _ = network(case).network_policies
        manifest = {**policy.manifest, "metadata": {**policy.manifest["metadata"], "namespace": NAMESPACE}}
        del manifest["metadata"]["ownerReferences"]  # the garbage collector finds no such training
        await jobs.children.set_network_policy(replace(policy, manifest=manifest))
        live = await jobs.cluster.get(NETWORK_POLICY, NAMESPACE, policy.name)
        assert live["spec"].get("egress") == egress
