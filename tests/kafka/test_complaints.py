"""Why a client gets no answer."""

import socket
from pathlib import Path

import pytest
from confluent_kafka import KafkaError as Code

from fedka.kafka.access import client_settings
from fedka.kafka.complaints import Complaints
from fedka.kafka.errors import AccessRefused, KafkaAway
from fedka.kafka.log_view import LogView
from fedka.wire.bundle import KafkaAccess

from ..cluster.certificates import write_certificates
from ..cluster.secured_kafka import SecuredKafka


@pytest.fixture
def view():
    views = []

    def make(access: KafkaAccess, directory: Path | None = None) -> LogView:
        views.append(LogView(client_settings(access, directory)))
        return views[-1]

    yield make
    for each in views:
        each.close()


@pytest.mark.kafka
def test_nobody_there_is_told_with_the_address_and_the_cause(view):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening: a connection is refused
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(KafkaAway, match="Connection refused") as told:
            view(KafkaAccess(bootstrap_servers=address)).check_topics(["t"], "me")
    assert address in str(told.value)
    assert not isinstance(told.value, AccessRefused)


@pytest.fixture
def admin(secured_kafka: SecuredKafka, tmp_path: Path) -> KafkaAccess:
    """The admin's access; its files are in the test's directory."""
    (tmp_path / "ca.crt").write_bytes(secured_kafka.ca_file.read_bytes())
    (tmp_path / "password").write_text(secured_kafka.admin_password)
    return KafkaAccess(
        bootstrap_servers=secured_kafka.bootstrap_servers,
        security_protocol="SASL_SSL",
        ca_file="ca.crt",
        sasl_mechanism="SCRAM-SHA-512",
        username=secured_kafka.admin_user,
        password_file="password",
    )


@pytest.mark.kafka
def test_wrong_password_is_told_with_the_user(view, admin, tmp_path):
    (tmp_path / "password").write_text("wrong")
    with pytest.raises(AccessRefused, match="the password of user admin was refused"):
        view(admin, tmp_path).check_topics(["t"], "me")


@pytest.mark.kafka
def test_another_authority_is_told(view, admin, tmp_path):
    write_certificates(ca=tmp_path / "ca.crt", server=tmp_path / "server.pem", names=("localhost",))
    with pytest.raises(AccessRefused, match="certificate does not fit the CA"):
        view(admin, tmp_path).check_topics(["t"], "me")


@pytest.mark.kafka
def test_file_that_is_no_certificate_is_told(view, admin, tmp_path):
    (tmp_path / "ca.crt").write_text("hello")
    with pytest.raises(AccessRefused, match=r"ssl\.ca\.location failed"):
        view(admin, tmp_path)


BROKER = "sasl_ssl://kafka:9093/bootstrap"
NO_TRUST = Code(Code._SSL, f"{BROKER}: SSL handshake failed: certificate verify failed (in state SSL_HANDSHAKE)")
HALF_TOLD = Code(Code._TRANSPORT, f"{BROKER}: certificate verify failed (after 9ms in state SSL_HANDSHAKE)")
GONE = Code(Code._TRANSPORT, f"{BROKER}: Connect to ipv4#10.0.0.1:9093 failed: Connection refused (in state CONNECT)")
TIMED_OUT = Code(Code._TIMED_OUT, "timed out")


@pytest.mark.parametrize(("told", "refused"), [([HALF_TOLD, NO_TRUST, HALF_TOLD], True), ([NO_TRUST, GONE], False)])
def test_a_handshake_that_fails_is_told_in_two_ways(told, refused):
    complaints = Complaints({"bootstrap.servers": "kafka:9093"})
    for each in told:
        complaints.take(each)
    assert complaints.refused is refused
    assert isinstance(complaints.explain("topics", TIMED_OUT), AccessRefused) is refused
