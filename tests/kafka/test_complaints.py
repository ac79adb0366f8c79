"""Why a client gets no answer."""

import socket
from pathlib import Path

import pytest

from fedka.kafka.access import client_settings
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
