"""The cluster's own promises: it is whole, it can be hurt part by part, and it leaves nothing behind."""

import pytest

from .cluster import Cluster
from .pause_image import PAUSE_IMAGE

pytestmark = pytest.mark.cluster
GENEROUS_SECONDS = 120


def pod(cluster: Cluster, namespace: str) -> str:
    container = {"name": "only", "image": PAUSE_IMAGE, "imagePullPolicy": "Never"}
    cluster.api.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "waits", "namespace": namespace},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
        }
    )
    cluster.kubectl(
        "wait", "pod/waits", f"--namespace={namespace}", "--for=condition=Ready", f"--timeout={GENEROUS_SECONDS}s"
    )
    return str(cluster.api.get("pod", "waits", f"--namespace={namespace}")["status"]["podIP"])


@pytest.mark.parametrize("component", ["kubelet", "containerd", "kube-apiserver"])
def test_a_pod_outlives_the_kill_of_a_component(cluster: Cluster, component: str):
    namespace = cluster.api.create_namespace(f"outlives-{component}")
    pod(cluster, namespace)
    before = cluster.api.get("pod", "waits", f"--namespace={namespace}")["status"]["containerStatuses"]
    cluster.kill(component)
    cluster.restart(component)
    cluster.kubectl("delete", "pod", "waits", f"--namespace={namespace}", "--dry-run=server")
    after = cluster.api.get("pod", "waits", f"--namespace={namespace}")["status"]["containerStatuses"]
    assert [each["containerID"] for each in after] == [each["containerID"] for each in before]
