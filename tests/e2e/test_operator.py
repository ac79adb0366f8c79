"""The operator may die, be doubled and be upgraded: a run does not notice, and nothing is made twice."""

from pathlib import Path

import pytest

from ..cluster.cluster import Cluster
from ..cluster.images import Image, build_images
from .conftest import ROUNDS, Make
from .installation import Installation
from .local_digest import local_digest
from .trainings import Training, completed, digest, ended

pytestmark = pytest.mark.cluster
SUCCESSOR = "99.0.0"  # see its Dockerfile


@pytest.fixture
def training(make: Make) -> Training:
    return make(rounds={"count": ROUNDS}, pause=1.0)


def finish(training: Training, undisturbed: str) -> None:
    """Complete, with one pod each: nothing was made twice, and nothing was made anew."""
    status = training.until_complete()
    assert (ended(status), completed(status)) == ("Complete", ROUNDS)
    assert digest(status) == undisturbed
    assert len(training.pods()) == 3


def test_killed_while_it_provisions(training: Training, installation: Installation, undisturbed: str):
    training.create()
    training.until(lambda status: bool(status.get("phase")), "taken up by the operator")
    installation.kill_operator()
    finish(training, undisturbed)


def test_killed_in_a_round(training: Training, installation: Installation, undisturbed: str):
    training.create().until_round(1)
    pods = {pod.metadata.uid for pod in training.pods()}
    installation.kill_operator()
    finish(training, undisturbed)
    assert {pod.metadata.uid for pod in training.pods()} == pods


def test_two_at_once_do_the_work_of_one(training: Training, installation: Installation, undisturbed: str):
    with installation.changed({"replicas": 2}):
        training.create().until_round(1)
        installation.kill_operator()
        finish(training, undisturbed)


@pytest.fixture
def successor(cluster: Cluster) -> Image:
    """Fedka of another version, which the node has as well."""
    images = build_images(kinds=("successor",))
    cluster.import_images(images)
    return next(image for image in images if image.kind == "successor")


def test_upgraded_with_a_live_run(make: Make, installation: Installation, successor: Image, tmp_path: Path):
    training = make(rounds={"count": 1000}).create()
    training.until_round(1)
    before = {pod.metadata.uid for pod in training.pods()}
    repository, tag = successor.name.rsplit(":", 1)
    tomorrow = {"aggregator": "fedka-of-tomorrow:1", "participant": "fedka-of-tomorrow:1"}
    with installation.changed({"image": {"repository": repository, "tag": tag}, "defaultImages": tomorrow}):
        assert f"version {SUCCESSOR}, watching" in installation.log()
        training.until_round(completed(training.status) + 2)
        assert {pod.metadata.uid for pod in training.pods()} == before

        (aggregator,) = training.pods(role="aggregator")
        training.api.core.delete_namespaced_pod(aggregator.metadata.name, training.namespace, grace_period_seconds=0)
        training.until_round(completed(training.status) + 2)
        (again,) = training.pods(role="aggregator")
        assert again.spec.containers[0].image == aggregator.spec.containers[0].image
        participants = before - {aggregator.metadata.uid}
        assert participants <= {pod.metadata.uid for pod in training.pods()}

        training.patch({"rounds": {"count": completed(training.status) + 3}})
        status = training.until_complete()
    assert ended(status) == "Complete"
    assert digest(status) == local_digest(tmp_path, rounds={"count": completed(status)})
