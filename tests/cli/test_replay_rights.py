"""Who may replay a run: not its reader, who is told what is missing, but an auditor with the rights that are named."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.cli.replay import replay
from fedka.cli.source import ReaderUnavailable, RunReader
from fedka.plan.identities import READ
from fedka.plan.parts import Grant, Identity
from fedka.provision.admin import AdminProvisioner
from fedka.reconcile.provisioning import Login
from fedka.wire.names import RunTopics

from ..cluster.secured_kafka import SecuredKafka
from ..kafka_rights.kafka_tools import follow
from ..wire.recorded_log import load
from .copied_log import copy_to

pytestmark = pytest.mark.kafka

RECORDED = Path(__file__).parents[1] / "wire" / "recorded" / "0.1" / "complete.jsonl"
PASSWORD = "not to be guessed"
PAGE = "docs/replay.md"


def as_the_page_says(kafka: SecuredKafka, auditor: str, topics: RunTopics, home: Path) -> None:
    """Make the auditor by the commands of docs/replay.md."""
    shown = {
        "--bootstrap-server KAFKA": f"--bootstrap-server {kafka.bootstrap_servers} --command-config admin.properties",
        "--entity-name auditor": f"--entity-name {auditor}",
        "User:auditor": f"User:{auditor}",
        "password=...": f"password={PASSWORD}",
        "NAMESPACE.TRAINING.UID8": topics.run,
        "--topic fedka.": f"--topic {topics.prefix}.",
    }
    assert follow(PAGE, kafka, shown, home) == 3


async def test_a_reader_is_told_what_it_lacks_and_an_auditor_has_it(
    secured_kafka: SecuredKafka, capsys, tmp_path: Path
):
    log = load(RECORDED).under(f"audited-{secrets.token_hex(4)}")
    copy_to(secured_kafka.settings(), log)
    topics = log.topics
    of_reader = (Grant(topics.journal, READ), Grant(topics.model, READ))
    reader, auditor = f"{topics.users_prefix}reader", f"auditor-{secrets.token_hex(4)}"
    admin = AdminProvisioner(secured_kafka.settings())
    await admin.ensure_identities([Login(Identity(reader, of_reader), PASSWORD)])
    as_the_page_says(secured_kafka, auditor, topics, tmp_path)

    @asynccontextmanager
    async def reading(user: str) -> AsyncIterator[RunReader]:
        yield RunReader(secured_kafka.settings(user, PASSWORD), topics, user)

    with pytest.raises(ReaderUnavailable) as refused:
        await replay(reading(reader), as_json=True)
    said = str(refused.value)
    assert said.startswith(f"{reader} lacks Describe on topic {topics.spec}")
    assert f"needs Read and Describe on all topics that begin with {topics.update_prefix}" in said

    assert await replay(reading(auditor), as_json=True) == exit_codes.OK
    assert json.loads(capsys.readouterr().out)["matched"] == 4
