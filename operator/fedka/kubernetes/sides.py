"""The operator's clients of each Kafka cluster in its configuration."""

from collections.abc import Mapping

from fedka.kafka.access import client_settings
from fedka.kubernetes.configuration import ConfigurationInvalid, KafkaClusterConfiguration, OperatorConfiguration
from fedka.provision.admin import AdminProvisioner
from fedka.reconcile.kafka_side import KafkaSide
from fedka.reconcile.provisioning import SettingsUnusable
from fedka.reconcile.run_log import KafkaRunLogs
from fedka.reconcile.spec_topic import KafkaSpecTopics


def kafka_sides(configuration: OperatorConfiguration) -> Mapping[str, KafkaSide]:
    """By name. Nothing is connected yet. Raises ConfigurationInvalid."""
    return {cluster.name: _side(cluster) for cluster in configuration.kafka_clusters}


def _side(cluster: KafkaClusterConfiguration) -> KafkaSide:
    try:
        shared = client_settings(cluster.operators_access())
    except OSError as error:
        raise ConfigurationInvalid(f"Kafka cluster {cluster.name}: {error.filename}: {error.strerror}") from error
    try:
        provisioner = AdminProvisioner(shared, replication=cluster.replication)
    except SettingsUnusable as error:
        raise ConfigurationInvalid(f"Kafka cluster {cluster.name}: {error}") from error
    return KafkaSide(
        provisioner=provisioner,
        run_logs=KafkaRunLogs(shared),
        spec_topics=KafkaSpecTopics(shared),
    )
