"""What dies in a round costs nothing: the model is the one of a run that nobody disturbed."""

import pytest

from ..cluster.cluster import Cluster
from .conftest import ROUNDS, Make
from .pods import kill_program
from .trainings import Api, Training, completed, digest, ended

pytestmark = pytest.mark.cluster


@pytest.fixture
def training(make: Make) -> Training:
    """In its third round or later, with rounds to go."""
    running = make(rounds={"count": ROUNDS}, pause=1.0).create()
    running.until_round(2)
    return running


def finish(training: Training, undisturbed: str) -> None:
    status = training.until_complete()
    assert ended(status) == "Complete"
    assert completed(status) == ROUNDS
    assert digest(status) == undisturbed


def test_a_run_in_pods_gives_the_model_of_the_run_on_one_machine(training: Training, undisturbed: str):
    finish(training, undisturbed)


def test_a_killed_aggregator_process_is_restarted_in_its_pod(training: Training, cluster: Cluster, undisturbed: str):
    (pod,) = training.pods(role="aggregator")
    kill_program(cluster, pod)
    finish(training, undisturbed)
    (same,) = training.pods(role="aggregator")
    assert same.metadata.uid == pod.metadata.uid


def test_a_deleted_aggregator_pod_is_made_again(training: Training, api: Api, undisturbed: str):
    (pod,) = training.pods(role="aggregator")
    api.core.delete_namespaced_pod(pod.metadata.name, training.namespace, grace_period_seconds=0)
    finish(training, undisturbed)


def test_a_deleted_participant_pod_is_made_again(training: Training, api: Api, undisturbed: str):
    (pod,) = training.pods(participant="bank-b")
    api.core.delete_namespaced_pod(pod.metadata.name, training.namespace, grace_period_seconds=0)
    finish(training, undisturbed)


def test_kubelet_and_container_runtime_may_restart_in_a_round(training: Training, cluster: Cluster, undisturbed: str):
    cluster.api.kill("kubelet")
    cluster.api.kill("containerd")
    cluster.api.restart("containerd")
    cluster.api.restart("kubelet")
    finish(training, undisturbed)


def test_kafka_may_be_killed_and_restarted_in_a_round(training: Training, cluster: Cluster, undisturbed: str):
    cluster.kafka.kill()
    cluster.kafka.restart()
    finish(training, undisturbed)
