"""The operator's configuration file: strict, and clear about what is wrong."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from fedka.kubernetes.configuration import ConfigurationInvalid, read_configuration
from fedka.kubernetes.sides import kafka_sides

SMALL: dict[str, Any] = {
    "images": {"aggregator": "fedka:1", "participant": "participant:1"},
    "kafkaClusters": [{"name": "default", "bootstrapServers": "kafka:9092"}],
}


def written(directory: Path, document: Any) -> Path:
    path = directory / "operator.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def secured(directory: Path, **changes: Any) -> dict[str, Any]:
    for name, content in {"ca.crt": "PEM\n", "username": "fedka\n", "password": "secret\n"}.items():
        (directory / name).write_text(content)
    cluster = {
        "name": "bank",
        "bootstrapServers": "kafka:9093",
        "securityProtocol": "SASL_SSL",
        "saslMechanism": "SCRAM-SHA-512",
        "caFile": str(directory / "ca.crt"),
        "usernameFile": str(directory / "username"),
        "passwordFile": str(directory / "password"),
        "prefix": "team-a",
        "replication": 3,
        "identities": "Scram",
        "allowedNamespaces": ["consortium"],
        "maxParticipants": 20,
        "networkPolicy": {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]},
    }
    return SMALL | {"kafkaClusters": [cluster | changes]}


def test_what_is_left_out_has_a_default(tmp_path):
    configuration = read_configuration(written(tmp_path, SMALL))
    assert (configuration.port, configuration.resync_seconds, configuration.watch_namespaces) == (8080, 600, ())
    settings = configuration.settings()
    assert settings.aggregator_image == "fedka:1"
    assert settings.kafka_clusters["default"].access.security_protocol == "PLAINTEXT"
    assert settings.kafka_clusters["default"].allowed_namespaces is None


def test_everything_that_is_said_reaches_the_plan(tmp_path):
    kafka = read_configuration(written(tmp_path, secured(tmp_path))).settings().kafka_clusters["bank"]
    assert kafka.ca == "PEM"
    assert kafka.access.ca_file == "ca.crt"
    assert kafka.access.username is None
    assert (kafka.prefix, kafka.replication, kafka.identities, kafka.max_participants) == ("team-a", 3, True, 20)
    assert kafka.allowed_namespaces == {"consortium"}
    assert kafka.egress[0]["to"][0]["ipBlock"]["cidr"] == "10.0.0.0/8"


def test_the_operator_itself_connects_with_its_own_credentials(tmp_path):
    (cluster,) = read_configuration(written(tmp_path, secured(tmp_path))).kafka_clusters
    access = cluster.operators_access()
    assert access.username == "fedka"
    assert access.password_file == str(tmp_path / "password")


def test_no_password_stands_in_what_plans_see(tmp_path):
    settings = read_configuration(written(tmp_path, secured(tmp_path))).settings()
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kafkaCluster": []}, "kafkaCluster: Extra inputs"),
        ({"kafkaClusters": []}, "kafkaClusters"),
        ({"images": {}}, "images.aggregator"),
        ({"resyncSeconds": 0}, "resyncSeconds"),
        ({"kafkaClusters": SMALL["kafkaClusters"] * 2}, "default is there twice"),
    ],
)
def test_a_fault_is_named_with_its_field(tmp_path, change, said):
    with pytest.raises(ConfigurationInvalid, match=said):
        read_configuration(written(tmp_path, SMALL | change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"securityProtocol": "PLAINTEXT"}, "SASL_SSL only"),
        ({"usernameFile": None}, "needs usernameFile and passwordFile"),
        ({"identities": "Tls"}, "identities"),
        ({"identities": "None"}, "SASL_SSL needs identities: Scram"),
        ({"prefix": "Team A"}, "prefix"),
        ({"maxParticipants": 0}, "maxParticipants"),
    ],
)
def test_what_does_not_fit_together_is_said_of_the_cluster(tmp_path, change, said):
    with pytest.raises(ConfigurationInvalid, match=said):
        read_configuration(written(tmp_path, secured(tmp_path, **change)))


def test_a_file_that_is_missing_is_named(tmp_path):
    path = written(tmp_path, secured(tmp_path))
    (tmp_path / "ca.crt").unlink()
    with pytest.raises(ConfigurationInvalid, match=r"ca\.crt: No such file"):
        read_configuration(path).settings()


def test_a_password_that_is_missing_is_named(tmp_path):
    path = written(tmp_path, secured(tmp_path))
    (tmp_path / "password").unlink()
    with pytest.raises(ConfigurationInvalid, match=r"bank: .*password: No such file"):
        kafka_sides(read_configuration(path))


def test_a_ca_file_without_a_certificate_is_said_of_the_cluster(tmp_path):
    path = written(tmp_path, secured(tmp_path))  # whose CA file holds PEM and no more
    with pytest.raises(ConfigurationInvalid, match=r"Kafka cluster bank: .*ssl\.ca"):
        kafka_sides(read_configuration(path))


def test_a_configuration_that_is_missing_is_named(tmp_path):
    with pytest.raises(ConfigurationInvalid, match=r"nowhere\.yaml: No such file"):
        read_configuration(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("text", ["", "[]", "a: b: c", "just words"])
def test_what_is_no_configuration_is_refused(tmp_path, text):
    path = tmp_path / "operator.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationInvalid, match=r"operator\.yaml"):
        read_configuration(path)
