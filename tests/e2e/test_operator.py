"""The operator may die, be doubled and be upgraded: a run does not notice, and nothing is made twice."""

import pytest

from .conftest import ROUNDS, Make
from .installation import Installation
from .trainings import Training, completed, digest, ended

pytestmark = pytest.mark.cluster


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


def test_upgraded_with_a_live_run(training: Training, installation: Installation, undisturbed: str):
    training.create().until_round(1)
    before = training.pods()
    with installation.changed(
        {"defaultImages": {"aggregator": "fedka-of-tomorrow:1", "participant": "fedka-of-tomorrow:1"}}
    ):
        (aggregator,) = training.pods(role="aggregator")
        training.api.core.delete_namespaced_pod(aggregator.metadata.name, training.namespace, grace_period_seconds=0)
        finish(training, undisturbed)
        (again,) = training.pods(role="aggregator")
    assert again.spec.containers[0].image == aggregator.spec.containers[0].image
    participants = {pod.metadata.uid for pod in before} - {aggregator.metadata.uid}
    assert participants <= {pod.metadata.uid for pod in training.pods()}
