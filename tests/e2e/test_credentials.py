"""Passwords that are wrong or gone, and two installations that share a Kafka."""

from collections.abc import Iterator
from typing import Any

import pytest

from ..cluster.operator_user import operator_user
from .conftest import Make
from .installation import Installation
from .kafka_admin import KafkaAdmin
from .small_app import manifest
from .trainings import GONE, Api, ApiException, Training, completed, condition, ended, make_namespace

pytestmark = pytest.mark.cluster
WRONG = "wrong-password"


@pytest.fixture
def two_kafkas(installation: Installation, api: Api) -> Iterator[None]:
    """Beside the Kafka of all tests one that does not take the operator's password."""
    (default,) = installation.chart.values()["kafkaClusters"]
    secret = {"metadata": {"name": WRONG}, "stringData": {"username": operator_user(), "password": "not this one"}}
    api.core.create_namespaced_secret(installation.chart.namespace, secret)
    refused = default | {"name": "refused", "credentialsSecret": {"name": WRONG}, "prefix": "refused"}
    with installation.changed({"kafkaClusters": [default, refused]}):
        yield
    api.core.delete_namespaced_secret(WRONG, installation.chart.namespace)


@pytest.mark.usefixtures("two_kafkas")
def test_a_wrong_password_is_named_and_stalls_no_other_kafka(make: Make):
    refused = make("refused", kafka={"clusterName": "refused"}).create()
    accepted = make("accepted", rounds={"count": 3}).create()
    status = refused.until(
        lambda status: condition(status, "KafkaReady").get("reason") == "KafkaCredentialsRefused", "refused by Kafka"
    )
    assert operator_user() in condition(status, "KafkaReady")["message"]
    assert "not this one" not in str(status)
    assert ended(accepted.until_complete()) == "Complete"
    refused.delete()
    with_finalizer_taken_off(refused)


def test_a_secret_that_was_deleted_by_hand_is_made_anew_with_its_pod(make: Make, api: Api, installation: Installation):
    with installation.changed({"resyncSeconds": 10}):
        training = make(rounds={"count": 1000}).create()
        training.until_round(1)
        (pod,) = training.pods(participant="bank-b")
        name = next(volume.secret.secret_name for volume in pod.spec.volumes if volume.secret)
        before = password(api, training, name)
        api.core.delete_namespaced_secret(name, training.namespace)
        training.wait_for(lambda: password(api, training, name) not in {None, before}, "given another password")
        training.wait_for(lambda: running_pods(training, "bank-b") - {pod.metadata.uid}, "given another pod")
        done = completed(training.status)
        training.until_round(done + 3)
        training.delete()
        training.until_gone()


def test_two_installations_share_a_kafka_and_leave_each_others_runs_alone(
    installation: Installation, api: Api, namespace: str
):
    other = f"{namespace}-other"
    make_namespace(api, other)
    chart = installation.chart.beside(f"{namespace}-system", prefix="other")
    mine = {"watchNamespaces": [namespace]}
    theirs: dict[str, Any] = {
        "watchNamespaces": [other],
        "crds": {"install": False},
    }
    admin = KafkaAdmin(installation.cluster.kafka.settings())
    with installation.changed(mine):
        chart.install(theirs)
        try:
            first, second = (
                Training(
                    api, where, manifest("tiny", image=installation.image, pause=0.3, rounds={"count": count})
                ).create()
                for where, count in ((namespace, 500), (other, 12))
            )
            first.until_round(1)
            second.until_round(1)
            assert admin.topics("other.journal.")
            assert admin.topics("fedka.journal.")
            gone, stays = str(first.status["kafkaId"]), str(second.status["kafkaId"])
            kept = admin.topics(stays)
            first.delete()
            first.until_gone()
            admin.until_no_trace(gone)
            assert admin.topics(stays) == kept
            assert ended(second.until_complete()) == "Complete"
            second.delete()
            second.until_gone()
        finally:
            chart.uninstall()
    for left in (other, chart.namespace):
        api.core.delete_namespace(left)


def password(api: Api, training: Training, secret: str) -> str | None:
    try:
        return str(api.core.read_namespaced_secret(secret, training.namespace).data["password"])
    except ApiException as error:
        if error.status == GONE:
            return None
        raise


def running_pods(training: Training, participant: str) -> set[str]:
    pods = training.pods(participant=participant)
    return {pod.metadata.uid for pod in pods if pod.status.phase == "Running" and not pod.metadata.deletion_timestamp}


def with_finalizer_taken_off(training: Training) -> None:
    """As an administrator does whose Kafka will not let the operator in again."""
    training.patch_metadata({"finalizers": None})
    training.until_gone()
