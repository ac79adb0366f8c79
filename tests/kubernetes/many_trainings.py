"""Thousands of suspended trainings, and how an operator copes with them: shared by its test and by `bench/`."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fedka.kubernetes.api import Api
from fedka.kubernetes.cluster import KubernetesCluster
from fedka.kubernetes.login import find_login
from fedka.reconcile.ports import AlreadyExists

AT_ONCE = 16  # the API server shares the machine
TICK = os.sysconf("SC_CLK_TCK")

Figures = Mapping[str, float]


def training(namespace: str, number: int, participants: int) -> dict[str, Any]:
    """A suspended one."""
    return {
        "apiVersion": "fedka.dev/v1alpha1",
        "kind": "FederatedTraining",
        "metadata": {"name": f"many-{number}", "namespace": namespace},
        "spec": {
            "app": {"image": "registry.example/app:1", "entrypoint": "app:app"},
            "rounds": {"count": 10},
            "participants": [{"name": f"participant-{index}"} for index in range(participants)],
            "suspend": True,
        },
    }


async def make_trainings(
    kubeconfig: Path, namespace: str, numbers: range, *, participants: int, status: Mapping[str, Any] | None = None
) -> None:
    """Those that there are already stay. With `status`, as an operator has left them: one writes no more than 20 a
    second.
    """
    api = Api(find_login(kubeconfig=str(kubeconfig)))
    cluster, left = KubernetesCluster(api), iter(numbers)

    async def make_some() -> None:
        for number in left:
            try:
                made = await cluster.create(training(namespace, number, participants), field_manager="user")
            except AlreadyExists:
                continue
            if status is not None:
                await cluster.apply_status(made | {"status": dict(status)}, field_manager="fedka-operator")

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(make_some())
    finally:
        await api.close()


def read_figures(text: str) -> Figures:
    """The operator's metrics by name and labels."""
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def settled(figures: Figures, count: int, *, statuses: bool = False) -> bool:
    """Whether each training has been looked at, and (`statuses`) has one written."""
    done = figures.get('fedka_reconciles_total{outcome="done"}', 0)
    pending = figures.get('fedka_trainings{phase="Pending"}', count) if statuses else 0
    return done >= count and figures.get("fedka_queue_depth") == 0 and pending == 0


def cpu_seconds(pid: int) -> float:
    """Of all threads, from the beginning."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mib(pid: int, line: str = "VmRSS") -> int:
    """`VmRSS` (now) or `VmHWM` (the most so far)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(row.split()[1] for row in status.splitlines() if row.startswith(line))) // 1024
