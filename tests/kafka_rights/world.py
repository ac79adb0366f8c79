"""A machine with one operator and its pods on the secured Kafka, where the operator has the rights that it needs."""

import asyncio
import contextlib
import os
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from fedka.local.cluster import InMemoryCluster
from fedka.local.crd_admission import CrdAdmission
from fedka.local.kubelet import Machine
from fedka.local.node import Node
from fedka.plan.settings import KafkaCluster, Settings
from fedka.provision.admin import AdminProvisioner
from fedka.reconcile.kafka_side import KafkaSide
from fedka.reconcile.operator import Operator
from fedka.reconcile.ports import FEDERATED_TRAINING, JOB, SECRET, NotFound
from fedka.reconcile.run_log import KafkaRunLogs
from fedka.reconcile.spec_topic import KafkaSpecTopics
from fedka.wire.bundle import KafkaAccess
from fedka.wire.names import RunTopics

from ..cluster.secured_kafka import SecuredKafka

GENEROUS_SECONDS = 120.0
APP = """
import numpy as np
import fedka

app = fedka.App()

@app.model
def model(context):
    return {"w": np.zeros(8, dtype=np.float32)}

@app.examples
def examples(context):
    return 10

@app.train
def train(model, context):
    model["w"] += 1
    return fedka.Trained(examples=10, metrics={"loss": 0.5})
"""


def now() -> datetime:
    return datetime.now(UTC)


class World:
    """A machine that runs one operator and its pods."""

    def __init__(self, kafka: SecuredKafka, home: Path) -> None:
        random = Random()  # noqa: S311  no secrets; another UID for each world, as they share a Kafka
        self.kafka, self.home = kafka, home
        self.login = kafka.add_operator()
        self.admin = AdminProvisioner(kafka.settings())
        self.cluster = InMemoryCluster(clock=now, random=random, admission=CrdAdmission())
        self.changed = asyncio.Event()
        self.cluster.listen(lambda _event, _old: self.changed.set())
        image = home / "image"
        image.mkdir(parents=True)
        (image / "small.py").write_text(APP)
        self.node = Node(self.cluster, Machine(home, image, os.environ), clock=now, random=random)

    def operator(self) -> Operator:
        shared = self.kafka.settings(*self.login)
        side = KafkaSide(
            provisioner=AdminProvisioner(shared), run_logs=KafkaRunLogs(shared), spec_topics=KafkaSpecTopics(shared)
        )
        access = KafkaAccess(bootstrap_servers=self.kafka.bootstrap_servers)
        cluster = KafkaCluster(access, ca=self.kafka.ca_file.read_text(), identities=True)
        return Operator(
            cluster=self.cluster,
            kafka={"default": side},
            settings=Settings({"default": cluster}, state_directory=str(self.home / "participants")),
            clock=now,
            random=Random(1),  # noqa: S311  no secrets
        )

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(GENEROUS_SECONDS):
            while True:
                self.changed.clear()
                if await holds():
                    return
                await self.changed.wait()

    async def training(self) -> dict[str, Any] | None:
        try:
            return await self.cluster.get(FEDERATED_TRAINING, "default", "fraud")
        except NotFound:
            return None

    async def phase(self) -> str:
        return str(((await self.training()) or {}).get("status", {}).get("phase"))

    async def job_uids(self) -> dict[str, str]:
        """By participant, or `aggregator`."""
        jobs = [job["metadata"] for job in await self.cluster.list(JOB)]
        return {job["labels"].get("fedka.dev/participant", "aggregator"): job["uid"] for job in jobs}

    async def bundle(self, role: str) -> Path:
        """The role's Secret as a directory."""
        (secret,) = await self.cluster.list(SECRET, labels={"fedka.dev/role": role})
        directory = self.home / "bundles" / role
        directory.mkdir(parents=True)
        for name, data in secret["data"].items():
            (directory / name).write_bytes(b64decode(data))
        return directory

    async def until_users(self, topics: RunTopics, users: set[str]) -> None:
        async with asyncio.timeout(GENEROUS_SECONDS):
            while await self.admin.users_of(topics.journal, topics.users_prefix) != users:
                pass  # each look is a request that is waited for; nothing tells of a change in Kafka

    def logs(self) -> str:
        return "\n".join(f"{path.name}:\n{path.read_text()}" for path in sorted(self.home.rglob("*.log")))


@contextlib.asynccontextmanager
async def running(*work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(each()) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
