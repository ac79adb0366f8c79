"""What a real API server says where a webhook is away or a policy denies, and that the operator remembers it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from fedka.plan.parts import JobDeletion, JobPatch
from fedka.reconcile.ports import JOB
from fedka.reconcile.refused import ChildRefusedError

from ..cluster.api_server import ApiServer
from .real_jobs import GENEROUS_SECONDS, LOOK_SECONDS, Jobs, jobs_in

pytestmark = pytest.mark.kubernetes
RULE = {"apiGroups": ["batch"], "apiVersions": ["v1"], "resources": ["jobs"]}
WEBHOOK = "away.fedka.example"
POLICY = "no-change-of-jobs"


def only_in(namespace: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}


def webhook_that_is_away(namespace: str) -> dict[str, Any]:
    webhook = {
        "name": WEBHOOK,
        "clientConfig": {"url": "https://127.0.0.1:1/"},  # nobody listens there
        "rules": [RULE | {"operations": ["CREATE", "UPDATE", "DELETE"]}],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": WEBHOOK},
        "webhooks": [webhook | only_in(namespace)],
    }


def policy_against_changes(namespace: str) -> tuple[dict[str, Any], dict[str, Any]]:
    rules = only_in(namespace) | {"resourceRules": [RULE | {"operations": ["UPDATE"]}]}
    denies = [{"expression": "object.spec.suspend == oldObject.spec.suspend", "message": "Jobs go on here"}]
    policy = {"matchConstraints": rules, "validations": denies, "failurePolicy": "Fail"}
    binding = {"policyName": POLICY, "validationActions": ["Deny"]}
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": POLICY}}
    return (
        kind | {"kind": "ValidatingAdmissionPolicy", "spec": policy},
        kind | {"kind": "ValidatingAdmissionPolicyBinding", "spec": binding},
    )


@pytest.fixture
async def jobs(api_server: ApiServer, request: pytest.FixtureRequest) -> AsyncIterator[Jobs]:
    namespace = request.node.name.replace("_", "-")[-60:].strip("-")
    await asyncio.to_thread(api_server.create_namespace, namespace)
    async with jobs_in(api_server, namespace) as jobs:
        yield jobs


async def until_refused(ask: Callable[[], Awaitable[object]]) -> None:
    """An API server takes a new webhook or policy into account a moment later."""
    async with asyncio.timeout(GENEROUS_SECONDS):
        while True:
            try:
                await ask()
            except ChildRefusedError:
                return
            await asyncio.sleep(LOOK_SECONDS)


async def test_a_webhook_that_is_away(jobs: Jobs, api_server: ApiServer):
    name = await jobs.make("a")
    uid = (await jobs.cluster.get(JOB, jobs.namespace, name))["metadata"]["uid"]
    guard = webhook_that_is_away(jobs.namespace)
    await asyncio.to_thread(api_server.apply, guard)
    try:
        others = iter(range(1000))
        await until_refused(lambda: jobs.make(f"b{next(others)}"))
        with pytest.raises(ChildRefusedError, match="may not be deleted"):
            await jobs.children.delete_job(JobDeletion(name, uid))
        with pytest.raises(ChildRefusedError, match="may not be changed"):
            await jobs.children.patch_job(JobPatch(name, uid, suspend=True))
    finally:
        await asyncio.to_thread(api_server.kubectl, "delete", guard["kind"], WEBHOOK)
    [made], unpatched, kept = jobs.memory.refusals.values(), jobs.memory.unpatched[uid], jobs.memory.kept[uid]
    for refusal in (made, unpatched, kept):
        assert f'failed calling webhook "{WEBHOOK}"' in refusal.message
        assert not refusal.invalid  # asked again soon


async def test_a_policy_that_denies_a_change(jobs: Jobs, api_server: ApiServer):
    name = await jobs.make("a")
    uid = (await jobs.cluster.get(JOB, jobs.namespace, name))["metadata"]["uid"]
    guard = policy_against_changes(jobs.namespace)
    await asyncio.to_thread(api_server.apply, *guard)
    suspend = iter([True, False] * 1000)
    try:
        await until_refused(lambda: jobs.children.patch_job(JobPatch(name, uid, suspend=next(suspend))))
    finally:
        for each in guard:
            await asyncio.to_thread(api_server.kubectl, "delete", each["kind"], POLICY)
    refusal = jobs.memory.unpatched[uid]
    assert "Jobs go on here" in refusal.message
    assert not refusal.invalid
