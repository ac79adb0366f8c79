"""What the in-memory cluster does beyond the contract that all adapters share."""

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from fedka.local.cluster import InMemoryCluster
from fedka.local.crd_admission import CrdAdmission
from fedka.reconcile.ports import POD, Invalid, NotFound

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def cluster():
    return InMemoryCluster(clock=lambda: NOW, random=Random(1), admission=CrdAdmission())  # noqa: S311  no secrets


def pod(**spec: Any):
    metadata = {"name": "work-1", "namespace": "default"}
    spec = {"containers": [{"name": "main", "image": "none"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


async def test_a_pod_on_a_node_waits_for_the_node(cluster):
    created = await cluster.create(pod(nodeName="local"), field_manager="test")
    await cluster.delete(POD, "default", "work-1", uid=created["metadata"]["uid"])
    dying = await cluster.get(POD, "default", "work-1")
    assert dying["metadata"]["deletionTimestamp"] == "2026-11-23T12:00:00Z"
    assert dying["metadata"]["deletionGracePeriodSeconds"] == 30
    await cluster.raw_delete(POD, "default", "work-1", grace_seconds=0)
    with pytest.raises(NotFound):
        await cluster.get(POD, "default", "work-1")


async def test_a_pod_that_has_ended_goes_at_once(cluster):
    created = await cluster.create(pod(nodeName="local"), field_manager="test")
    await cluster.apply_status(created | {"status": {"phase": "Succeeded"}}, field_manager="test")
    await cluster.delete(POD, "default", "work-1", uid=created["metadata"]["uid"])
    with pytest.raises(NotFound):
        await cluster.get(POD, "default", "work-1")


async def test_a_kind_that_is_not_served_is_refused(cluster):
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x", "namespace": "default"}}
    with pytest.raises(Invalid, match="FederatedTraining"):
        await cluster.create(deployment, field_manager="test")


async def test_text_of_a_secret_becomes_data(cluster):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}}
    created = await cluster.create(secret | {"stringData": {"a": "text"}}, field_manager="test")
    assert created["data"] == {"a": "dGV4dA=="}
    assert "stringData" not in created


async def test_data_that_is_not_base64_is_refused(cluster):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}}
    with pytest.raises(Invalid, match="base64"):
        await cluster.create(secret | {"data": {"a": "not base64!"}}, field_manager="test")


async def test_the_same_seed_gives_the_same_uids():
    one, two = (
        InMemoryCluster(clock=lambda: NOW, random=Random(7), admission=CrdAdmission())  # noqa: S311  no secrets
        for _ in range(2)
    )
    first = await one.create(pod(), field_manager="test")
    second = await two.create(pod(), field_manager="test")
    assert first == second
