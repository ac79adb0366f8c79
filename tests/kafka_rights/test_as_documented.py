"""docs/install.md has an administrator grant the operator what the tests' own operators have: no less, and no more."""

import secrets
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from ..cluster.operator_user import operator_rights, operator_user, rights_of
from ..cluster.secured_kafka import SecuredKafka
from .kafka_tools import follow

pytestmark = pytest.mark.kafka
PAGE = "docs/install.md"
BROKERS = "kafka.example.org:9093"
PASSWORD = "not to be guessed"


def test_the_commands_of_the_page_make_an_operators_user(secured_kafka: SecuredKafka, tmp_path: Path):
    user = f"{operator_user()}-{secrets.token_hex(4)}"
    shown = {operator_user(): user, BROKERS: secured_kafka.bootstrap_servers, "password=...": f"password={PASSWORD}"}
    assert follow(PAGE, secured_kafka, shown, tmp_path) > 0

    assert rights_of(user, AdminClient(dict(secured_kafka.settings()))) == set(operator_rights(user))
    assert AdminClient(dict(secured_kafka.settings(user, PASSWORD))).list_topics(timeout=60).cluster_id
