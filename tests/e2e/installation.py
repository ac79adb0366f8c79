"""The installed operator, as its administrator handles it, and as its node may treat it."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from kubernetes import client, watch

from ..cluster.chart import Chart
from ..cluster.cluster import Cluster
from .trainings import GENEROUS_SECONDS, Api

OPERATOR = "app.kubernetes.io/name=fedka"
LEASE = "fedka-operator"


class Installation:
    """One release."""

    def __init__(self, cluster: Cluster, chart: Chart) -> None:
        self.cluster = cluster
        self.chart = chart
        self.api = Api(cluster.api.kubeconfig)

    @property
    def image(self) -> str:
        """What pods of the small app run: it has numpy, and is small."""
        return self.chart.image("fedka")

    def pods(self) -> dict[str, Any]:
        """The operators that are ready, by name."""
        found = self.api.core.list_namespaced_pod(self.chart.namespace, label_selector=OPERATOR).items
        return {pod.metadata.name: pod for pod in found if not pod.metadata.deletion_timestamp and _ready(pod)}

    def lease(self) -> client.V1Lease:
        return self.api.coordination.read_namespaced_lease(LEASE, self.chart.namespace)

    def kill_leader(self) -> client.V1Lease:
        """SIGKILL from the node to the process that holds the Lease, which is as it was when this returns.

        The kubelet, if it runs, starts another one in the same pod.
        """
        lease = self.lease()
        (status,) = self.pods()[leads(lease)].status.container_statuses
        self.cluster.node.kill_container(status.container_id.removeprefix("containerd://"))
        return lease

    def holder_after(self, lease: client.V1Lease) -> str:
        """Who holds the Lease after its holder; nobody, where it was given back."""
        changes = watch.Watch().stream(
            self.api.coordination.list_namespaced_lease,
            self.chart.namespace,
            field_selector=f"metadata.name={LEASE}",
            resource_version=lease.metadata.resource_version,
            timeout_seconds=GENEROUS_SECONDS,
        )
        with contextlib.closing(changes):
            for change in changes:
                holder: str = change["object"].spec.holder_identity or ""
                if holder != lease.spec.holder_identity:
                    return holder
        raise AssertionError(f"{lease.spec.holder_identity} still holds the Lease after {GENEROUS_SECONDS} s")

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


def leads(lease: client.V1Lease) -> str:
    """The pod whose process holds it."""
    pod, _, _ = str(lease.spec.holder_identity).partition("_")
    return pod


def _ready(pod: Any) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions or ())
