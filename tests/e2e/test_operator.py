"""The operator may die, be doubled, be upgraded and rolled back: a run does not notice, and nothing is made twice."""

from pathlib import Path

import pytest

from fedka.version import VERSION

from ..cluster.cluster import Cluster
from ..cluster.images import Image, build_images
from .administrator import Administrator
from .conftest import ROUNDS, Make
from .installation import Installation, leads
from .local_digest import local_digest
from .made import Made
from .trainings import Api, Training, completed, digest, ended

pytestmark = pytest.mark.cluster
SUCCESSOR = "99.0.0"  # see its Dockerfile
KILLED = 128 + 9


@pytest.fixture
def training(make: Make) -> Training:
    return make(rounds={"count": ROUNDS}, pause=1.0)


@pytest.fixture
def made(api: Api, namespace: str) -> Made:
    return Made(api, namespace)


def finish(training: Training, undisturbed: str, made: Made) -> None:
    """Complete, with one Job and one pod each: nothing was made twice, and nothing was made anew."""
    status = training.until_complete()
    assert (ended(status), completed(status)) == ("Complete", ROUNDS)
    assert digest(status) == undisturbed
    for names in (made.jobs(), made.pods()):
        assert (len(names), len(set(names))) == (3, 3), names


def test_killed_while_it_provisions(
    training: Training, api: Api, installation: Installation, made: Made, undisturbed: str
):
    """Of the three Jobs a quota lets one through, so that it cannot have come to the end when it dies."""
    namespace = training.namespace
    quota = {"metadata": {"name": "one-job"}, "spec": {"hard": {"count/jobs.batch": "1"}}}
    api.core.create_namespaced_resource_quota(namespace, quota)
    training.wait_for(
        lambda: bool(api.core.read_namespaced_resource_quota("one-job", namespace).status.hard), "limited to one Job"
    )
    training.create()
    training.wait_for(lambda: bool(api.batch.list_namespaced_job(namespace).items), "given its first Job")
    lease = installation.kill_leader()
    assert len(made.jobs()) == 1
    api.core.delete_namespaced_resource_quota("one-job", namespace)
    another_leads_in_its_pod(installation, lease)
    finish(training, undisturbed, made)


def test_killed_in_a_round(training: Training, installation: Installation, made: Made, undisturbed: str):
    training.create().until_round(1)
    lease = installation.kill_leader()
    another_leads_in_its_pod(installation, lease)
    finish(training, undisturbed, made)


def another_leads_in_its_pod(installation: Installation, lease) -> None:
    """Which did not find the Lease given back, as the one before had no time for that."""
    after = installation.holder_after(lease)
    assert after.startswith(f"{leads(lease)}_")
    pod = installation.api.core.read_namespaced_pod(leads(lease), installation.chart.namespace)
    (status,) = pod.status.container_statuses
    assert status.last_state.terminated.exit_code == KILLED


def test_the_one_that_stands_by_takes_over_from_one_that_dies_with_its_node(
    training: Training, installation: Installation, cluster: Cluster, made: Made, undisturbed: str
):
    with installation.changed({"replicas": 2}):
        training.create().until_round(1)
        names = set(installation.pods())
        assert len(names) == 2
        cluster.api.kill("kubelet")
        try:
            lease = installation.kill_leader()
            after = installation.holder_after(lease)
        finally:
            cluster.api.restart("kubelet")
        (other,) = names - {leads(lease)}
        assert after.startswith(f"{other}_")
        finish(training, undisturbed, made)
        assert leads(installation.lease()) == other


@pytest.fixture
def successor(cluster: Cluster) -> Image:
    """Fedka of another version, which the node has as well."""
    images = build_images(kinds=("successor",))
    cluster.import_images(images)
    return next(image for image in images if image.kind == "successor")


def test_upgraded_and_rolled_back_with_a_live_run(
    make: Make, installation: Installation, administrator: Administrator, successor: Image, tmp_path: Path
):
    training = make(rounds={"count": 1000}).create()
    training.until_round(1)
    before = {pod.metadata.name for pod in training.pods()}
    repository, tag = successor.name.rsplit(":", 1)
    tomorrow = {"aggregator": "fedka-of-tomorrow:1", "participant": "fedka-of-tomorrow:1"}
    changes = {"image": {"repository": repository, "tag": tag}, "defaultImages": tomorrow}
    administrator.has_values(installation.chart.values() | changes)
    try:
        administrator.types("helm upgrade fedka")
        assert f"version {SUCCESSOR}, watching" in installation.log()
        training.until_round(completed(training.status) + 2)
        assert {pod.metadata.name for pod in training.pods()} == before

        (aggregator,) = training.pods(role="aggregator")
        training.api.core.delete_namespaced_pod(aggregator.metadata.name, training.namespace, grace_period_seconds=0)
        training.until_round(completed(training.status) + 2)
        (again,) = training.pods(role="aggregator")
        assert again.spec.containers[0].image == aggregator.spec.containers[0].image
        after = {pod.metadata.name for pod in training.pods()}
        assert before - {aggregator.metadata.name} <= after

        administrator.types("helm rollback fedka")
        assert f"version {VERSION}, watching" in installation.log()
        training.until_round(completed(training.status) + 2)
        assert {pod.metadata.name for pod in training.pods()} == after

        training.patch({"rounds": {"count": completed(training.status) + 3}})
        status = training.until_complete()
    finally:
        installation.chart.upgrade({})
    assert ended(status) == "Complete"
    assert digest(status) == local_digest(tmp_path, rounds={"count": completed(status)})
