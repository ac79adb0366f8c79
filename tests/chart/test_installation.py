"""The chart on a real API server: accepted, upgraded, and giving the operator the rights it needs and no others."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cluster.api_server import ApiServer
from ..cluster.helm import Helm, helm_program
from .conftest import CHART, NAMESPACE, ONE_KAFKA

pytestmark = pytest.mark.kubernetes

CRD = "federatedtrainings.fedka.dev"
TRAINING = {
    "apiVersion": "fedka.dev/v1alpha1",
    "kind": "FederatedTraining",
    "metadata": {"name": "kept", "namespace": "default"},
    "spec": {
        "app": {"image": "app", "entrypoint": "app:app"},
        "rounds": {"count": 1},
        "participants": [{"name": "one"}],
        "suspend": True,
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """One without our CRD, which the chart is to bring."""
    with ApiServer(tmp_path_factory.mktemp("api")) as api:
        api.create_namespace(NAMESPACE, {"pod-security.kubernetes.io/enforce": "restricted"})
        yield api


@pytest.fixture(scope="module")
def installed(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    helm = Helm(helm_program(), tmp_path_factory.mktemp("helm"), server.kubeconfig)
    helm.run("install", "fedka", str(CHART), f"--namespace={NAMESPACE}", f"--values={ONE_KAFKA}", "--wait=hookOnly")
    server.kubectl("wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=60s")
    return helm


@pytest.fixture(scope="module")
def operator(server: ApiServer, installed: Helm) -> Path:
    """The kubeconfig of the chart's ServiceAccount."""
    del installed
    return server.kubeconfig_for("fedka", NAMESPACE)


def _may(server: ApiServer, who: Path, verb: str, what: str, namespace: str) -> bool:
    group_kind, _, subresource = what.partition("/")
    resource, _, group = group_kind.partition(".")
    asked = {"verb": verb, "group": group, "resource": resource, "subresource": subresource, "namespace": namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    answer = server.kubectl(
        "create", "--validate=false", "--filename=-", "--output=json", stdin=json.dumps(review), kubeconfig=who
    )
    allowed: bool = json.loads(answer)["status"]["allowed"]
    return allowed


@pytest.mark.parametrize(
    ("verb", "what"),
    [
        ("watch", "federatedtrainings.fedka.dev"),
        ("patch", "federatedtrainings.fedka.dev"),
        ("delete", "federatedtrainings.fedka.dev"),
        ("patch", "federatedtrainings.fedka.dev/status"),
        ("update", "federatedtrainings.fedka.dev/finalizers"),
        ("watch", "jobs.batch"),
        ("create", "jobs.batch"),
        ("patch", "jobs.batch"),
        ("delete", "jobs.batch"),
        ("list", "pods"),
        ("get", "secrets"),
        ("create", "secrets"),
        ("patch", "secrets"),
        ("delete", "secrets"),
        ("patch", "networkpolicies.networking.k8s.io"),
        ("create", "events.events.k8s.io"),
    ],
)
def test_the_operator_may(server: ApiServer, operator: Path, verb, what):
    assert _may(server, operator, verb, what, "default")


@pytest.mark.parametrize(
    ("verb", "what"),
    [
        ("list", "secrets"),
        ("watch", "secrets"),
        ("get", "federatedtrainings.fedka.dev"),
        ("get", "pods"),
        ("delete", "networkpolicies.networking.k8s.io"),
        ("create", "federatedtrainings.fedka.dev"),
        ("update", "federatedtrainings.fedka.dev"),
        ("create", "pods"),
        ("delete", "pods"),
        ("create", "pods/exec"),
        ("create", "serviceaccounts/token"),
        ("get", "configmaps"),
        ("update", "leases.coordination.k8s.io"),  # in another namespace than its own
        ("create", "clusterrolebindings.rbac.authorization.k8s.io"),
        ("impersonate", "users"),
    ],
)
def test_the_operator_may_not(server: ApiServer, operator: Path, verb, what):
    assert not _may(server, operator, verb, what, "default")


@pytest.mark.parametrize("verb", ["get", "create", "update"])
def test_the_operator_may_hold_its_lease(server: ApiServer, operator: Path, verb):
    assert _may(server, operator, verb, "leases.coordination.k8s.io", NAMESPACE)


@pytest.mark.parametrize("verb", ["list", "patch", "delete"])
def test_the_operator_may_do_no_more_with_leases_than_hold_one(server: ApiServer, operator: Path, verb):
    assert not _may(server, operator, verb, "leases.coordination.k8s.io", NAMESPACE)


def test_the_namespace_accepts_its_pod(server: ApiServer, installed: Helm):
    del installed
    server.kubectl(
        "wait",
        "replicaset",
        f"--namespace={NAMESPACE}",
        "--for=jsonpath={.status.replicas}=1",
        "--all",
        "--timeout=60s",
    )
    (pod,) = server.get("pods", f"--namespace={NAMESPACE}")["items"]
    assert pod["spec"]["serviceAccountName"] == "fedka"


def test_the_crd_grows_with_an_upgrade_and_outlives_an_uninstallation(server: ApiServer, installed: Helm):
    options = [str(CHART), f"--namespace={NAMESPACE}", f"--values={ONE_KAFKA}", "--wait=hookOnly"]
    column = '[{"op": "replace", "path": "/spec/versions/0/additionalPrinterColumns", "value": []}]'
    server.kubectl("patch", "crd", CRD, "--type=json", f"--patch={column}", "--field-manager=helm")  # an older one
    server.apply(TRAINING)
    installed.run("upgrade", "fedka", *options, "--force-conflicts")
    assert server.get("crd", CRD)["spec"]["versions"][0]["additionalPrinterColumns"]
    installed.run("uninstall", "fedka", f"--namespace={NAMESPACE}")
    assert server.get("federatedtraining", "kept")["metadata"]["name"] == "kept"
    assert not server.get("deployments", f"--namespace={NAMESPACE}")["items"]
    installed.run("install", "fedka", *options)
    assert server.get("deployments", f"--namespace={NAMESPACE}")["items"]
