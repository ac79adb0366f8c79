"""The installed operator, as its administrator handles it."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from ..cluster.chart import Chart
from ..cluster.cluster import Cluster

DEPLOYMENT = "deployment/fedka"
OPERATOR = "app.kubernetes.io/name=fedka"
PATIENCE = "180s"


class Installation:
    """One release."""

    def __init__(self, cluster: Cluster, chart: Chart) -> None:
        self.cluster = cluster
        self.chart = chart

    @property
    def image(self) -> str:
        """What pods of the small app run: it has numpy, and is small."""
        return self.chart.image("fedka")

    def kill_operator(self) -> None:
        """SIGKILL, as a node that dies would; the Deployment makes another pod."""
        self.kubectl("delete", "pod", "-l", OPERATOR, "--grace-period=0", "--force", "--wait=false")

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        self.kubectl("scale", DEPLOYMENT, "--replicas=0")
        self.kubectl("wait", "pod", "-l", OPERATOR, "--for=delete", f"--timeout={PATIENCE}")
        try:
            yield
        finally:
            self.kubectl("scale", DEPLOYMENT, "--replicas=1")
            self.kubectl("rollout", "status", DEPLOYMENT, f"--timeout={PATIENCE}")

    @contextlib.contextmanager
    def changed(self, values: Mapping[str, Any]) -> Iterator[None]:
        """With other values of the chart, for a while."""
        self.chart.upgrade(values)
        try:
            yield
        finally:
            self.chart.upgrade({})

    def log(self) -> str:
        """Of the newest pod: the Deployment's may as well be of one that is just ending."""
        newest = "jsonpath={.items[-1:].metadata.name}"
        name = self.kubectl("get", "pods", "-l", OPERATOR, "--sort-by=.metadata.creationTimestamp", "-o", newest)
        return self.kubectl("logs", name)

    def kubectl(self, *arguments: str) -> str:
        return self.cluster.api.kubectl("-n", self.chart.namespace, *arguments)
