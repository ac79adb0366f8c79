"""Fedka as its users have it: the chart, the images, pods, and a Kafka with TLS, SCRAM and ACLs.

Each test has a namespace of its own, which enforces Pod Security `restricted`. What a test leaves there is deleted.
"""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..cluster.chart import Chart
from ..cluster.cluster import Cluster
from .administrator import Administrator
from .installation import Installation
from .local_digest import local_digest
from .small_app import manifest
from .trainings import GONE, Api, ApiException, Training, make_namespace

ROUNDS = 8  # of trainings that are disturbed
Make = Callable[..., Training]


@pytest.fixture(scope="session")
def installation(cluster: Cluster, chart: Chart) -> Installation:
    return Installation(cluster, chart)


@pytest.fixture(scope="session")
def api(installation: Installation) -> Api:
    return installation.api


@pytest.fixture
def administrator(installation: Installation, tmp_path: Path) -> Administrator:
    """Whose `values.yaml` has those of the installation."""
    typing = Administrator(tmp_path, installation.cluster.api.kubeconfig)
    typing.has_values(installation.chart.values())
    return typing


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


@pytest.fixture
def make(api: Api, installation: Installation, namespace: str) -> Make:
    """Makes a training of the small app, with `spec` over its defaults; `create` submits it."""

    def training(name: str = "tiny", *, pause: float = 0.3, **spec: Any) -> Training:
        return Training(api, namespace, manifest(name, image=installation.image, pause=pause, **spec))

    return training


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the same training on one machine."""
    return local_digest(tmp_path_factory.mktemp("local"), rounds={"count": ROUNDS})
