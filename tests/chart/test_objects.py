import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedka.kubernetes.configuration import PORT, KafkaClusterConfiguration, read_configuration
from fedka.version import VERSION

from .conftest import CHART, EVERYTHING, NAMESPACE, ONE_KAFKA, ROOT, Render

pytestmark = pytest.mark.slow

CRD = "federatedtrainings.fedka.dev"
KEPT = {"helm.sh/resource-policy": "keep"}


def _pod(objects: Any) -> dict[str, Any]:
    spec: dict[str, Any] = objects["Deployment", "fedka"]["spec"]["template"]["spec"]
    return spec


def test_the_crd_is_the_one_of_the_models(render: Render):
    (path,) = (ROOT / "crds").glob("*.yaml")
    ours = yaml.safe_load(path.read_text())
    charts = dict(render(ONE_KAFKA)["CustomResourceDefinition", CRD])
    assert charts["metadata"].pop("annotations") == KEPT
    assert charts == ours


def test_the_crd_can_be_left_to_others(render: Render):
    assert ("CustomResourceDefinition", CRD) not in render(ONE_KAFKA, "--set=crds.install=false")


def test_the_pod_passes_pod_security_restricted(render: Render, values):
    pod = _pod(render(values))
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {kind for volume in pod["volumes"] for kind in volume} == {"name", "projected", "emptyDir"}


def test_every_file_that_the_configuration_names_is_mounted(render: Render, values):
    objects = render(values)
    configuration = yaml.safe_load(objects["ConfigMap", "fedka"]["data"]["operator.yaml"])
    (mounted,) = [volume["projected"] for volume in _pod(objects)["volumes"] if "projected" in volume]
    paths = {
        f"/etc/fedka/{item['path']}"
        for source in mounted["sources"]
        for part in source.values()
        for item in part["items"]
    }
    members = ("caFile", "usernameFile", "passwordFile")
    named = {kafka[member] for kafka in configuration["kafkaClusters"] for member in members if member in kafka}
    assert paths == named | {"/etc/fedka/operator.yaml"}


def test_the_operator_can_read_its_configuration(render: Render, values, tmp_path):
    path = tmp_path / "operator.yaml"
    path.write_text(render(values)["ConfigMap", "fedka"]["data"]["operator.yaml"])
    configuration = read_configuration(path)
    assert configuration.lease_namespace == NAMESPACE
    assert configuration.kafka_clusters[0].name == "default"


def test_every_setting_of_a_kafka_cluster_reaches_the_operator(render: Render, tmp_path):
    path = tmp_path / "operator.yaml"
    path.write_text(render(EVERYTHING)["ConfigMap", "fedka"]["data"]["operator.yaml"])
    default, trial = read_configuration(path).kafka_clusters
    assert set(KafkaClusterConfiguration.model_fields) == default.model_fields_set
    assert (default.prefix, default.replication, default.max_participants) == ("consortium", 3, 50)
    assert default.network_policy.egress[1] == {"ports": [{"protocol": "UDP", "port": 53}]}
    assert (default.identities, trial.identities) == ("Scram", "None")


def test_without_a_word_on_security_pods_have_users_of_their_own(render: Render, tmp_path):
    path = tmp_path / "operator.yaml"
    path.write_text(render(ONE_KAFKA)["ConfigMap", "fedka"]["data"]["operator.yaml"])
    (kafka,) = read_configuration(path).kafka_clusters
    assert (kafka.security_protocol, kafka.identities) == ("SASL_SSL", "Scram")


def test_words_that_yaml_takes_for_others_stay_what_they_are(render: Render, tmp_path):
    values, path = tmp_path / "values.yaml", tmp_path / "operator.yaml"
    kafka = {
        "name": "no",
        "bootstrapServers": "1:30",
        "prefix": "123",
        "credentialsSecret": {"name": "1e3", "usernameKey": "yes", "passwordKey": "0x1"},
        "caSecret": {"name": "7", "key": "null"},
    }
    images = {"aggregator": "12", "participant": "off"}
    values.write_text(json.dumps({"kafkaClusters": [kafka], "defaultImages": images}))
    objects = render(values)
    path.write_text(objects["ConfigMap", "fedka"]["data"]["operator.yaml"])
    configuration = read_configuration(path)
    (read,) = configuration.kafka_clusters
    assert (read.name, read.bootstrap_servers, read.prefix) == ("no", "1:30", "123")
    assert configuration.images.model_dump() == images
    assert read.ca_file == Path("/etc/fedka/kafka/no/ca.crt")
    (mounted,) = [volume["projected"] for volume in _pod(objects)["volumes"] if "projected" in volume]
    secrets = [source["secret"] for source in mounted["sources"] if "secret" in source]
    assert [secret["name"] for secret in secrets] == ["1e3", "7"]
    assert [item["key"] for secret in secrets for item in secret["items"]] == ["yes", "0x1", "null"]


def test_the_probes_ask_where_the_operator_answers(render: Render):
    (container,) = _pod(render(ONE_KAFKA))["containers"]
    assert container["ports"] == [{"name": "health", "containerPort": PORT}]
    assert {container[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")} == {
        "health"
    }


def test_an_authority_given_as_text_is_in_the_config_map(render: Render):
    assert "BEGIN CERTIFICATE" in render(EVERYTHING)["ConfigMap", "fedka"]["data"]["trial.crt"]


def test_another_configuration_makes_another_pod(render: Render):
    def annotations(*arguments: str) -> dict[str, str]:
        found: dict[str, str] = render(ONE_KAFKA, *arguments)["Deployment", "fedka"]["spec"]["template"]["metadata"][
            "annotations"
        ]
        return found

    assert annotations() == annotations("--set=replicas=2")
    assert annotations() != annotations("--set=resyncSeconds=60")
    assert annotations() != annotations("--set=kafkaClusters[0].credentialsSecret.name=other")


def test_a_training_runs_the_operators_image_unless_told_otherwise(render: Render):
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    configuration = yaml.safe_load(render(ONE_KAFKA)["ConfigMap", "fedka"]["data"]["operator.yaml"])
    assert configuration["images"] == {"aggregator": f"fedka:{version}", "participant": f"fedka:{version}"}


def test_the_charts_version_is_fedkas():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (VERSION, VERSION)


def test_two_installations_share_no_object(render: Render, helm):
    one = {name for name in render(ONE_KAFKA) if name[0].startswith("Cluster")}
    text = helm.run("template", "fedka", str(CHART), "--namespace=other", f"--values={ONE_KAFKA}")
    other = {(each["kind"], each["metadata"]["name"]) for each in yaml.safe_load_all(text) if each}
    assert one
    assert not one & other
