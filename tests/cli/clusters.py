"""A cluster in memory as the commands have it: with a training whose status a test writes, pods and their logs."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from random import Random
from typing import Any

from fedka.api.training import FederatedTraining
from fedka.cli.cluster_source import ClusterSource
from fedka.cli.connection import ClusterPlace, Connection
from fedka.local.cluster import InMemoryCluster
from fedka.local.crd_admission import CrdAdmission
from fedka.plan.names import child_name, labels
from fedka.plan.snapshot import Role
from fedka.reconcile.ports import FEDERATED_TRAINING, Cause, Invalid, Object

from .trainings import training

MANAGER = "test"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Shop:
    """The cluster; `logs` by the pods' names, None for one that has not started."""

    def __init__(
        self, *, namespace: str | None = None, program: str = "fedka", kind: type[InMemoryCluster] = InMemoryCluster
    ) -> None:
        self.logs: dict[str, list[str] | None] = {}
        self.asked: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()  # namespace and follow of each log
        self.cluster = kind(
            clock=lambda: datetime.now(UTC),
            random=Random(1),  # noqa: S311  no secrets
            admission=CrdAdmission(),
            namespaces=("default", "bank"),
        )
        place = ClusterPlace(namespace, None, None, program)
        self.connection = Connection(self.cluster, namespace or "default", self, self.judge, place)

    def source(self, name: str = "tiny") -> ClusterSource:
        return ClusterSource(self.connection, name)

    async def submit(self, name: str = "tiny", **spec: Any) -> FederatedTraining:
        obj = training(**spec)
        metadata = {"name": name, "namespace": self.connection.namespace}
        made = await self.cluster.create({**obj, "metadata": metadata}, field_manager=MANAGER)
        return FederatedTraining.from_object(made)

    async def report(self, status: Mapping[str, Any], name: str = "tiny") -> FederatedTraining:
        """Write the status, as the operator does."""
        live = await self.cluster.get(FEDERATED_TRAINING, self.connection.namespace, name)
        written = await self.cluster.apply_status({**live, "status": dict(status)}, field_manager="operator")
        return FederatedTraining.from_object(written)

    async def suspended_by_spec(self) -> None:
        """Wait until somebody has asked for it."""
        async with aclosing(self.source().changes()) as changes:
            async for training in changes:
                if training is not None and training.spec.suspend:
                    return

    async def secret(self, owner: FederatedTraining, role: Role, files: Mapping[str, bytes], who: str | None = None):
        data = {name: base64.b64encode(content).decode() for name, content in files.items()}
        metadata = {
            "name": child_name(owner, role, who),
            "namespace": owner.metadata.namespace,
            "labels": labels(owner, role, who),
        }
        obj = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
        await self.cluster.create(obj, field_manager=MANAGER)

    async def pod(
        self, owner: FederatedTraining, who: str | None, lines: list[str] | None, *, number: int = 0, phase="Running"
    ):
        """A pod of a participant, or (None) of the aggregator, with its log."""
        role = Role.AGGREGATOR if who is None else Role.PARTICIPANT
        name = f"{child_name(owner, role, who)}-{number}"
        metadata = {"name": name, "namespace": owner.metadata.namespace, "labels": labels(owner, role, who)}
        spec = {"restartPolicy": "Never", "containers": [{"name": str(role), "image": "i"}]}
        obj = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        made = await self.cluster.create(obj, field_manager=MANAGER)
        self.logs[name] = lines
        await self.cluster.apply_status({**made, "status": {"phase": phase}}, field_manager="kubelet")

    async def lines(
        self, namespace: str, pod: str, *, follow: bool = False, tail: int | None = None
    ) -> AsyncGenerator[str, None]:
        self.asked.put_nowait((namespace, follow))
        lines = self.logs[pod]
        if lines is None:
            raise Invalid("log", [Cause("", "container is waiting to start")])
        for line in lines if tail is None else lines[-tail:]:
            yield line

    async def judge(self, obj: Object) -> Mapping[str, Any]:
        live = await self.cluster.get(FEDERATED_TRAINING, self.connection.namespace, obj["metadata"]["name"])
        return CrdAdmission().admit(FEDERATED_TRAINING, dict(obj), live)


def condition(type_: str, status: str, reason: str, message: str = "so it is") -> dict[str, Any]:
    return {
        "type": type_, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }  # fmt: skip
