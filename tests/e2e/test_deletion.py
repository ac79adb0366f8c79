"""A deleted training leaves nothing behind, in Kubernetes or in Kafka, whatever goes first."""

import pytest

from ..cluster.cluster import Cluster
from .administrator import Administrator
from .conftest import Make
from .installation import Installation
from .kafka_admin import KafkaAdmin
from .trainings import Api, Training, ended

pytestmark = pytest.mark.cluster


@pytest.fixture
def admin(cluster: Cluster) -> KafkaAdmin:
    return KafkaAdmin(cluster.kafka.settings())


def children(api: Api, namespace: str) -> list[str]:
    """What there is of ours in a namespace but its trainings."""
    selector = "fedka.dev/training-uid"
    lists = [
        api.core.list_namespaced_pod(namespace, label_selector=selector),
        api.core.list_namespaced_secret(namespace, label_selector=selector),
        api.batch.list_namespaced_job(namespace, label_selector=selector),
        api.networking.list_namespaced_network_policy(namespace, label_selector=selector),
    ]
    return [item.metadata.name for found in lists for item in found.items]


def run_id(training: Training) -> str:
    return str(training.status["kafkaId"])


def test_a_complete_training_is_deleted_with_all_it_had(make: Make, api: Api, admin: KafkaAdmin):
    training = make(rounds={"count": 2}).create()
    assert ended(training.until_complete()) == "Complete"
    ours = run_id(training)
    assert admin.topics(ours)
    training.delete()
    training.until_gone()
    admin.until_no_trace(ours)
    training_pods_are_gone(training, api)


def test_a_training_is_deleted_in_the_middle_of_a_round(make: Make, api: Api, admin: KafkaAdmin):
    training = make(rounds={"count": 500}).create()
    training.until_round(1)
    ours = run_id(training)
    training.delete()
    training.until_gone()
    admin.until_no_trace(ours)
    training_pods_are_gone(training, api)


def test_a_namespace_may_go_first(make: Make, api: Api, namespace: str, admin: KafkaAdmin):
    training = make(rounds={"count": 500}).create()
    training.until_round(1)
    ours = run_id(training)
    api.core.delete_namespace(namespace)
    training.until_gone()
    admin.until_no_trace(ours)


def test_an_operator_that_was_uninstalled_first_may_be_installed_again(
    make: Make, api: Api, installation: Installation, administrator: Administrator, admin: KafkaAdmin
):
    training = make(rounds={"count": 500}).create()
    training.until_round(1)
    ours = run_id(training)
    try:
        administrator.types("helm uninstall fedka")
        training.delete()
        left = training.get()["metadata"]
        assert (left["finalizers"], "deletionTimestamp" in left) == (["fedka.dev/cleanup"], True)
        assert admin.topics(ours)
        administrator.types("helm upgrade --install fedka")
        training.until_gone()
    finally:
        installation.chart.upgrade({})
    admin.until_no_trace(ours)
    training_pods_are_gone(training, api)


def test_a_training_with_kafka_away_goes_within_the_bound(
    make: Make, installation: Installation, cluster: Cluster, admin: KafkaAdmin
):
    with installation.changed({"cleanupTimeoutSeconds": 15}):
        training = make(rounds={"count": 500}).create()
        training.until_round(1)
        ours = run_id(training)
        cluster.kafka.kill()
        try:
            training.delete()
            training.until_gone()
        finally:
            cluster.kafka.restart()
    assert admin.topics(ours)  # what was left is named in an event, for a person to delete
    notes = training.api.core.list_namespaced_event(training.namespace).items
    assert any(ours in (event.message or "") for event in notes if event.type == "Warning")


def training_pods_are_gone(training: Training, api: Api) -> None:
    """The children go by garbage collection, a moment after their owner."""
    training.wait_for(lambda: not children(api, training.namespace), "rid of its children")
