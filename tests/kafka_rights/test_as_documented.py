"""docs/install.md has an administrator grant the operator what the tests' own operators have: no less, and no more."""

import os
import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from ..cluster.operator_user import operator_rights, operator_user, rights_of
from ..cluster.secured_kafka import SecuredKafka
from ..docs.pages import all_commands
from ..docs.running import run
from .kafka_tools import administrator, install_tools

pytestmark = pytest.mark.kafka
PAGE = "docs/install.md"
BROKERS = "kafka.example.org:9093"
PASSWORD = "not to be guessed"


def test_the_commands_of_the_page_make_an_operators_user(secured_kafka: SecuredKafka, tmp_path: Path):
    (tmp_path / "admin.properties").write_text(administrator(secured_kafka))
    tools = install_tools(tmp_path / "bin")
    user = f"{operator_user()}-{secrets.token_hex(4)}"
    shown = {operator_user(): user, BROKERS: secured_kafka.bootstrap_servers, "password=...": f"password={PASSWORD}"}
    steps = [each for each in all_commands() if each.place.startswith(PAGE) and each.text.startswith("kafka-")]
    assert steps
    for step in steps:
        text = step.text
        for placeholder, ours in shown.items():
            text = text.replace(placeholder, ours)
        assert run(replace(step, text=text), tmp_path, PATH=f"{tools}{os.pathsep}{os.environ['PATH']}") == ""

    assert rights_of(user, AdminClient(dict(secured_kafka.settings()))) == set(operator_rights(user))
    assert AdminClient(dict(secured_kafka.settings(user, PASSWORD))).list_topics(timeout=60).cluster_id
