"""Fedka as its users have it: the chart, the images, pods, and a Kafka with TLS, SCRAM and ACLs.

Each test has a namespace of its own, which enforces Pod Security `restricted`. What a test leaves there is deleted.
"""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kubernetes import client

from ..cluster.chart import Chart
from ..cluster.cluster import Cluster
from .installation import Installation
from .small_app import NAME, SOURCE
from .trainings import GONE, Api, ApiException, Training

CODE = "small-app"
Make = Callable[..., Training]


@pytest.fixture(scope="session")
def installation(cluster: Cluster, chart: Chart) -> Installation:
    return Installation(cluster, chart)


@pytest.fixture(scope="session")
def api(installation: Installation) -> Api:
    return Api(installation.cluster.kubeconfig)


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    name = f"e2e-{secrets.token_hex(4)}"
    make_namespace(api, name)
    yield name
    try:
        api.core.delete_namespace(name)
    except ApiException as error:
        if error.status != GONE:
            raise


def make_namespace(api: Api, name: str) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    api.core.create_namespace({"metadata": {"name": name, "labels": labels}})
    code = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=CODE), data={f"{NAME}.py": SOURCE})
    api.core.create_namespaced_config_map(name, code)


@pytest.fixture
def make(api: Api, installation: Installation, namespace: str) -> Make:
    """Makes a training of the small app, with `spec` over its defaults; `create` submits it."""

    def training(name: str = "tiny", *, pause: float = 0.3, **spec: Any) -> Training:
        document = manifest(name, pause=pause, **spec)
        document["spec"]["app"]["image"] = installation.chart.image("fedka")  # it has numpy, and is small
        return Training(api, namespace, document)

    return training


def manifest(name: str, *, pause: float, **spec: Any) -> dict[str, Any]:
    """Two participants, and no round without both: every run then gives the same model."""
    rounds = {"count": 6, "minAvailable": 2, "quorum": "100%", "deadlineSeconds": 60} | spec.pop("rounds", {})
    return {
        "apiVersion": "fedka.dev/v1alpha1",
        "kind": "FederatedTraining",
        "metadata": {"name": name},
        "spec": {
            "app": {
                "entrypoint": f"{NAME}:app",
                "codeConfigMapRef": {"name": CODE},
                "config": {"pause": str(pause)},
            },
            "rounds": rounds,
            "participants": [{"name": "bank-a"}, {"name": "bank-b"}],
            **spec,
        },
    }
