"""The operator's configuration: one YAML file, which the chart writes, strict so that a typing error is found at start.

Everything that a training may not decide stands here: where Kafka is, with which rights, how much may be asked of it.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from fedka.plan.settings import CLEANUP_SECONDS, MOST_PARTICIPANTS, KafkaCluster, Settings
from fedka.wire.bundle import CA_FILE, KafkaAccess
from fedka.yaml_text import load_yaml

DEFAULT_PATH = Path("/etc/fedka/operator.yaml")
RESYNC_SECONDS = 600.0
PORT = 8080

PositiveInt = Annotated[int, Field(ge=1)]
PositiveSeconds = Annotated[float, Field(gt=0)]


class ConfigurationInvalid(Exception):
    """The file cannot be read, or says what cannot be: a message for each fault, with its field."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=False)


class Images(_Part):
    """What pods run where a training does not say."""

    aggregator: str = Field(min_length=1)
    participant: str = Field(min_length=1)


class NetworkPolicyConfiguration(_Part):
    """`egress` is copied as it is into the policy of each aggregator; empty: there is no policy."""

    egress: tuple[dict[str, Any], ...] = ()


class KafkaClusterConfiguration(_Part):
    """A Kafka cluster that trainings may name. Files are read at start, and one that changes ends the
    operator, to be started again; `allowed_namespaces` empty: all.
    """

    name: str = Field(min_length=1, max_length=63)
    bootstrap_servers: str = Field(min_length=1)
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["SCRAM-SHA-512"] | None = None
    ca_file: Path | None = None
    username_file: Path | None = None
    password_file: Path | None = None
    prefix: str = Field(default="fedka", pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=40)
    replication: Annotated[int, Field(ge=1, le=32767)] = 1
    identities: Literal["Scram", "None"] = "None"
    allowed_namespaces: tuple[str, ...] = ()
    max_participants: PositiveInt = MOST_PARTICIPANTS
    network_policy: NetworkPolicyConfiguration = NetworkPolicyConfiguration()

    @model_validator(mode="after")
    def _fits_together(self) -> "KafkaClusterConfiguration":
        sasl = self.security_protocol == "SASL_SSL"
        if sasl and (self.username_file is None or self.password_file is None):
            raise ValueError("SASL_SSL needs usernameFile and passwordFile")
        if not sasl and (self.username_file or self.password_file or self.sasl_mechanism):
            raise ValueError(
                f"credentials are of use with securityProtocol SASL_SSL only, not {self.security_protocol}"
            )
        if self.identities == "Scram" and not sasl:
            raise ValueError("identities: Scram needs securityProtocol: SASL_SSL, or pods could not show who they are")
        if sasl and self.identities == "None":
            raise ValueError("SASL_SSL needs identities: Scram, or pods had no user to log in with")
        if self.ca_file is not None and self.security_protocol == "PLAINTEXT":
            raise ValueError("caFile is of use with SSL or SASL_SSL only")
        return self

    def operators_access(self) -> KafkaAccess:
        """How the operator itself connects. Raises ConfigurationInvalid."""
        sasl = self.security_protocol == "SASL_SSL"
        return KafkaAccess(
            bootstrap_servers=self.bootstrap_servers,
            security_protocol=self.security_protocol,
            ca_file=str(self.ca_file) if self.ca_file else None,
            sasl_mechanism="SCRAM-SHA-512" if sasl else None,
            username=_content(self.username_file) if self.username_file else None,
            password_file=str(self.password_file) if self.password_file else None,
        )

    def planned(self) -> KafkaCluster:
        """What plans need to know. Raises ConfigurationInvalid."""
        access = KafkaAccess(
            bootstrap_servers=self.bootstrap_servers,
            security_protocol=self.security_protocol,
            ca_file=CA_FILE if self.ca_file else None,
            sasl_mechanism="SCRAM-SHA-512" if self.security_protocol == "SASL_SSL" else None,
        )
        return KafkaCluster(
            access,
            prefix=self.prefix,
            replication=self.replication,
            ca=_content(self.ca_file) if self.ca_file else "",
            identities=self.identities == "Scram",
            allowed_namespaces=frozenset(self.allowed_namespaces) or None,
            max_participants=self.max_participants,
            egress=self.network_policy.egress,
        )


class OperatorConfiguration(_Part):
    """The whole file. `watch_namespaces` empty: all; `lease_namespace` absent: the operator's own."""

    watch_namespaces: tuple[str, ...] = ()
    lease_namespace: str | None = None
    images: Images
    cleanup_timeout_seconds: PositiveSeconds = CLEANUP_SECONDS
    resync_seconds: PositiveSeconds = RESYNC_SECONDS
    port: Annotated[int, Field(ge=0, le=65535)] = PORT
    kafka_clusters: tuple[KafkaClusterConfiguration, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> "OperatorConfiguration":
        names = [cluster.name for cluster in self.kafka_clusters]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"kafkaClusters: {', '.join(twice)} is there twice: names tell them apart")
        return self

    def settings(self) -> Settings:
        """What plans depend on. Raises ConfigurationInvalid."""
        return Settings(
            kafka_clusters={cluster.name: cluster.planned() for cluster in self.kafka_clusters},
            aggregator_image=self.images.aggregator,
            participant_image=self.images.participant,
            cleanup_seconds=self.cleanup_timeout_seconds,
        )


def read_configuration(path: Path) -> OperatorConfiguration:
    """The file's content, checked. Raises ConfigurationInvalid."""
    try:
        document = load_yaml(_content(path))
    except yaml.YAMLError as error:
        raise ConfigurationInvalid(f"{path} is not YAML: {error}") from error
    try:
        return OperatorConfiguration.model_validate(document, by_name=False, by_alias=True)
    except ValidationError as error:
        faults = [f"{_field(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_url=False)]
        raise ConfigurationInvalid(f"{path}: " + "; ".join(faults)) from None


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationInvalid(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationInvalid(f"{path} is not UTF-8 text (byte {error.start})") from None


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"
