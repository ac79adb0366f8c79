"""The chart as Helm renders it, without a cluster."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..cluster.helm import Helm, helm_program

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "fedka"
ONE_KAFKA = CHART / "ci" / "one-kafka-values.yaml"
EVERYTHING = CHART / "ci" / "everything-values.yaml"
NAMESPACE = "fedka-system"

Rendered = Mapping[tuple[str, str], Mapping[str, Any]]
Render = Callable[..., Rendered]


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(helm_program(), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def render(helm: Helm) -> Render:
    """By kind and name, what `helm install fedka` would create."""

    def rendered(values: Path, *arguments: str) -> Rendered:
        text = helm.run("template", "fedka", str(CHART), f"--namespace={NAMESPACE}", f"--values={values}", *arguments)
        objects = [each for each in yaml.safe_load_all(text) if each]
        assert all("namespace" in each["metadata"] for each in objects if each["kind"] in {"ConfigMap", "Deployment"})
        return {(each["kind"], each["metadata"]["name"]): each for each in objects}

    return rendered


@pytest.fixture(params=[ONE_KAFKA, EVERYTHING], ids=["one-kafka", "everything"])
def values(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path
