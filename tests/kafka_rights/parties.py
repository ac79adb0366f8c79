"""Runs on the secured broker whose topics and users are the planner's, and who takes part in them, by their bundles."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from fedka.kafka.access import Settings, client_settings
from fedka.kafka.writer import RecordWriter
from fedka.plan.bundles import bundle_document, members
from fedka.plan.identities import identity
from fedka.plan.settings import KafkaCluster
from fedka.plan.snapshot import Role, Snapshot
from fedka.plan.topics import wanted_topics
from fedka.provision.admin import AdminProvisioner
from fedka.reconcile.provisioning import Login
from fedka.wire.bundle import CA_FILE, PASSWORD_FILE, KafkaAccess
from fedka.wire.names import RunTopics

from ..cluster.secured_kafka import SecuredKafka
from ..plan.case_files import load

PASSWORD = "not to be guessed"


@dataclass(frozen=True)
class Party:
    """Somebody with an identity, and the settings of its clients."""

    user: str
    settings: Settings


@dataclass(frozen=True)
class Run:
    """A run of participants a and b, all of whose topics hold a record."""

    topics: RunTopics
    parties: dict[str, Party]

    def topic(self, short: str) -> str:
        """`journal`, or `update.a`."""
        if short.startswith("update."):
            return self.topics.update(short.removeprefix("update."))
        return str(getattr(self.topics, short))


def provision(kafka: SecuredKafka, home: Path, *, uid: str, prefix: str = "fedka") -> Run:
    """As the operator does it, but for the Secrets, which are directories here."""
    access = KafkaAccess(bootstrap_servers=kafka.bootstrap_servers)
    cluster = KafkaCluster(access, prefix=prefix, ca=kafka.ca_file.read_text(), identities=True)
    snapshot = load({"now": 0, "metadata": {"uid": uid}})
    snapshot = replace(snapshot, settings=replace(snapshot.settings, kafka_clusters={"default": cluster}))
    identities = [identity(snapshot, role, name) for role, name in members(snapshot)]
    admin = AdminProvisioner(kafka.settings())
    specs = wanted_topics(snapshot)

    async def make() -> None:
        await admin.ensure_topics(specs)
        await admin.ensure_identities([Login(each, PASSWORD) for each in identities if each is not None])

    asyncio.run(make())
    writer = RecordWriter(kafka.settings(), name="test")
    for spec in specs:
        for partition in range(spec.partitions):
            writer.write_now(spec.name, partition, b"a record")
    writer.close()
    return Run(snapshot.topics, dict(_parties(snapshot, home / prefix / uid)))


def _parties(snapshot: Snapshot, home: Path) -> Iterator[tuple[str, Party]]:
    for role, name in members(snapshot):
        access = bundle_document(snapshot, Role(role), name).kafka
        directory = home / (name or role)
        directory.mkdir(parents=True)
        assert snapshot.kafka is not None
        (directory / CA_FILE).write_text(snapshot.kafka.ca)
        (directory / PASSWORD_FILE).write_text(PASSWORD)
        yield name or str(role), Party(access.username or "", client_settings(access, directory))
