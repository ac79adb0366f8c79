"""The secured broker lets in who has a user, and nobody else."""

from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from .secured_kafka import SecuredKafka

pytestmark = pytest.mark.kafka

PATIENCE_SECONDS = 60.0
REFUSAL_SECONDS = 5.0


def client(kafka: SecuredKafka, **changes: str) -> AdminClient:
    settings = {
        "bootstrap.servers": kafka.bootstrap_servers,
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(kafka.ca_file),
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": kafka.admin_user,
        "sasl.password": kafka.admin_password,
    }
    return AdminClient({name: value for name, value in (settings | changes).items() if value})


def identity(kafka: SecuredKafka, **changes: str) -> str:
    return str(client(kafka, **changes).list_topics(timeout=PATIENCE_SECONDS).cluster_id)


def test_its_administrator_is_let_in(secured_kafka: SecuredKafka):
    assert identity(secured_kafka)


@pytest.mark.parametrize(
    "changes",
    [
        {"sasl.password": "wrong"},
        {"sasl.username": "nobody"},
        {"security.protocol": "SSL", "sasl.mechanism": "", "sasl.username": "", "sasl.password": ""},
        {"security.protocol": "PLAINTEXT", "sasl.mechanism": "", "sasl.username": "", "sasl.password": ""},
        {"ssl.ca.location": ""},
    ],
    ids=["wrong password", "unknown user", "no user", "no TLS", "another authority"],
)
def test_nobody_else_is_let_in(secured_kafka: SecuredKafka, changes: dict[str, str]):
    with pytest.raises(KafkaException):
        client(secured_kafka, **changes).list_topics(timeout=REFUSAL_SECONDS)


def test_the_same_home_gives_the_same_cluster_and_users(tmp_path: Path):
    with SecuredKafka(tmp_path) as first:
        known = identity(first), first.bootstrap_servers, first.admin_password
    with SecuredKafka(tmp_path) as second:
        assert (identity(second), second.bootstrap_servers, second.admin_password) == known
        second.kill()
        second.start()
        assert identity(second) == known[0]


def test_it_listens_where_it_is_told(tmp_path: Path, unused_tcp_port: int):
    with SecuredKafka(tmp_path, address="127.0.0.2", port=unused_tcp_port) as kafka:
        assert kafka.bootstrap_servers == f"127.0.0.2:{unused_tcp_port}"
        assert identity(kafka)


def test_a_deleted_user_takes_nobody_along_when_the_broker_restarts(tmp_path: Path):
    with SecuredKafka(tmp_path) as kafka:
        admin = client(kafka)
        for name in ("first", "second", "third"):
            password = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
            change(admin, UserScramCredentialUpsertion(name, password, name.encode()))
            change(admin, UserScramCredentialDeletion(name, ScramMechanism.SCRAM_SHA_512))
        kafka.restart()
        assert identity(kafka)


def change(admin: AdminClient, alteration: UserScramCredentialAlteration) -> None:
    (future,) = admin.alter_user_scram_credentials([alteration]).values()
    future.result(PATIENCE_SECONDS)
