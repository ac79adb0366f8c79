"""The cluster's own promises: it is whole, it can be hurt part by part, and it leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from .cluster import Cluster
from .node_namespaces import FIRST, Network
from .pause_image import PAUSE_IMAGE
from .traces import traces
from .waiting import wait_until

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).parents[2]
SECOND = Network(245)
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
    cluster.api.kubectl(
        "wait", "pod/waits", f"--namespace={namespace}", "--for=condition=Ready", f"--timeout={GENEROUS_SECONDS}s"
    )
    return str(cluster.api.get("pod", "waits", f"--namespace={namespace}")["status"]["podIP"])


@pytest.mark.parametrize("component", ["kubelet", "containerd", "kube-apiserver"])
def test_a_pod_outlives_the_kill_of_a_component(cluster: Cluster, component: str):
    namespace = cluster.api.create_namespace(f"outlives-{component}")
    pod(cluster, namespace)
    before = cluster.api.get("pod", "waits", f"--namespace={namespace}")["status"]["containerStatuses"]
    cluster.api.kill(component)
    cluster.api.restart(component)
    cluster.api.kubectl("delete", "pod", "waits", f"--namespace={namespace}", "--dry-run=server")
    after = cluster.api.get("pod", "waits", f"--namespace={namespace}")["status"]["containerStatuses"]
    assert [each["containerID"] for each in after] == [each["containerID"] for each in before]


def test_nothing_outlives_a_killed_owner(tmp_path: Path):
    begin = "import sys; from tests.cluster.test_cluster import begin_and_hold; begin_and_hold(sys.argv[1])"
    with subprocess.Popen(
        [sys.executable, "-c", begin, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        node = int(owner.stdout.readline())
        in_node = [
            path for path in Path("/proc").glob("[0-9]*") if namespace_of(path) == namespace_of(Path(f"/proc/{node}"))
        ]
        assert len(in_node) > 4  # its first process, containerd, kubelet, kube-proxy, a pod
        owner.kill()
    assert wait_until(lambda: not any(path.exists() for path in in_node), GENEROUS_SECONDS)
    with Cluster(tmp_path, network=SECOND) as again:
        assert pod(again, again.api.create_namespace("again"))
        assert traces(tmp_path, SECOND)
    assert traces(tmp_path, SECOND) == []


def begin_and_hold(home: str) -> None:
    """A cluster with a pod in it, until the end of input."""
    cluster = Cluster(Path(home), network=SECOND)
    cluster.start()
    pod(cluster, cluster.api.create_namespace("first"))
    sys.stdout.write(f"{cluster.api.processes.pid(FIRST)}\n")
    sys.stdout.flush()
    sys.stdin.read()


def namespace_of(process: Path) -> str | None:
    try:
        return str((process / "ns" / "pid").readlink())
    except OSError:  # it has gone, or is nothing that we may look at
        return None
