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

from ..cluster.secured_kafka import SecuredKafka
from ..wire.recorded_log import load
from .copied_log import copy_to

pytestmark = pytest.mark.kafka

RECORDED = Path(__file__).parents[1] / "wire" / "recorded" / "0.1" / "complete.jsonl"
PASSWORD = "not to be guessed"


async def test_a_reader_is_told_what_it_lacks_and_an_auditor_has_it(secured_kafka: SecuredKafka, capsys):
    log = load(RECORDED).under(f"audited-{secrets.token_hex(4)}")
    copy_to(secured_kafka.settings(), log)
    topics = log.topics
    of_reader = (Grant(topics.journal, READ), Grant(topics.model, READ))
    of_auditor = (*of_reader, Grant(topics.spec, READ), Grant(topics.update_prefix, READ, prefixed=True))
    reader, auditor = f"{topics.users_prefix}reader", f"auditor-{secrets.token_hex(4)}"
    grants = {reader: of_reader, auditor: of_auditor}
    admin = AdminProvisioner(secured_kafka.settings())
    await admin.ensure_identities([Login(Identity(user, granted), PASSWORD) for user, granted in grants.items()])

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
