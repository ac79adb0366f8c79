import json
from typing import Any

import pytest
import yaml

from fedka.kubernetes.configuration import OperatorConfiguration

from ..cluster.helm import Helm, HelmFailed
from ..docs.pages import blocks
from .conftest import CHART, EVERYTHING, ONE_KAFKA, Render

pytestmark = pytest.mark.slow


def test_helm_has_nothing_to_say_against_it(helm: Helm, values):
    assert "0 chart(s) failed" in helm.run("lint", str(CHART), f"--values={values}", "--strict")


def test_without_a_kafka_it_says_how_to_name_one(render: Render, tmp_path):
    nothing = tmp_path / "values.yaml"
    nothing.write_text("{}\n")
    with pytest.raises(HelmFailed, match=r"kafkaClusters: name the Kafka .*--set kafkaClusters\[0\].name=default"):
        render(nothing)


@pytest.mark.parametrize(
    "mistake",
    [
        "replica=2",
        "image.pullpolicy=Always",
        "logLevel=loud",
        "kafkaClusters[0].bootstrapServer=kafka:9093",
        "kafkaClusters[0].bootstrapServers=kafka",
        "kafkaClusters[0].identities=SCRAM",
        "kafkaClusters[0].name=Default",
        "kafkaClusters[0].credentialsSecret.user=me",
        "watchNamespaces[0]=Hospitals",
        "resyncSeconds=soon",
        "crds.keep=false",
    ],
)
def test_a_mistake_is_refused(render: Render, mistake):
    with pytest.raises(HelmFailed, match="meet the specifications of the schema"):
        render(ONE_KAFKA, "--set", mistake)


def test_a_listener_that_asks_for_credentials_needs_some(render: Render):
    with pytest.raises(HelmFailed, match="credentialsSecret"):
        render(ONE_KAFKA, "--set", "kafkaClusters[0].credentialsSecret=null")


def test_users_for_pods_need_a_listener_that_asks_for_them(render: Render):
    with pytest.raises(HelmFailed, match="/kafkaClusters/1/identities"):
        render(EVERYTHING, "--set", "kafkaClusters[1].identities=Scram")
    with pytest.raises(HelmFailed, match="/kafkaClusters/0/identities"):
        render(EVERYTHING, "--set", "kafkaClusters[0].identities=None")


def test_two_authorities_for_one_kafka_are_refused(render: Render):
    with pytest.raises(HelmFailed, match="/kafkaClusters/0"):
        render(EVERYTHING, "--set", "kafkaClusters[0].caPem=-----BEGIN CERTIFICATE-----")


def test_the_schema_knows_every_value():
    schema = json.loads((CHART / "values.schema.json").read_text())
    _same_members(schema, yaml.safe_load((CHART / "values.yaml").read_text()), "")


def test_every_value_is_tried():
    tried = yaml.safe_load(EVERYTHING.read_text())
    untouched = {"crds", "rbac"}  # their defaults are what an installation is about; each has a test of its own
    assert set(yaml.safe_load((CHART / "values.yaml").read_text())) - untouched == set(tried)


def _same_members(schema: dict[str, Any], value: Any, path: str) -> None:
    if isinstance(value, dict) and "properties" in schema:
        assert set(value) == set(schema["properties"]) - {"global"}, path  # `global` is Helm's own
        for name, member in value.items():
            if name != "resources":  # both of its members are Kubernetes' own
                _same_members(schema["properties"][name], member, f"{path}.{name}")


def test_the_example_of_the_installation_page_is_taken(render: Render, tmp_path):
    (shown,) = (block for block in blocks("docs/install.md") if block.file == "values.yaml")
    (tmp_path / shown.file).write_text(shown.text)
    rendered = render(tmp_path / shown.file)
    (operator,) = rendered["Deployment", "fedka"]["spec"]["template"]["spec"]["containers"]
    assert operator["image"].startswith("registry.example/fedka:")
    told = yaml.safe_load(rendered["ConfigMap", "fedka"]["data"]["operator.yaml"])
    assert told["images"]["participant"] == "registry.example/fedka-participant:0.1.0"
    (kafka,) = told["kafkaClusters"]
    assert kafka["bootstrapServers"] == "kafka.example.org:9093"
    OperatorConfiguration.model_validate(told)
