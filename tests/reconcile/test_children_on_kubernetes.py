"""What the operator does to Jobs and NetworkPolicies, done to a real API server and a real Job controller."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fedka.plan.network import network
from fedka.plan.parts import JobDeletion, JobPatch
from fedka.reconcile.ports import JOB, NETWORK_POLICY

from ..cluster.api_server import ApiServer
from ..plan.case_files import load, with_egress
from .real_jobs import Jobs, jobs_in

pytestmark = pytest.mark.kubernetes

NAMESPACE = "jobs-of-a-run"


@pytest.fixture
async def jobs(api_server: ApiServer) -> AsyncIterator[Jobs]:
    await asyncio.to_thread(api_server.create_namespace, NAMESPACE)
    async with jobs_in(api_server, NAMESPACE) as jobs:
        yield jobs


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
