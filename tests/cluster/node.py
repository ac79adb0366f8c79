"""A Kubernetes node: containerd, kubelet and kube-proxy in namespaces of their own, and the images given to it.

containerd's directory outlives the node, as importing a few GB takes longer than all the rest of a start.
"""

import json
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from .control_plane import ControlPlane
from .node_namespaces import BRIDGE, Network, NodeNamespaces, SetupFailed
from .pause_image import PAUSE_IMAGE, write_pause_image
from .processes import Processes, Program
from .programs import Programs
from .waiting import wait_until

NAME = "node"
SOCKET = "/run/containerd/containerd.sock"
PLUGINS = Path("/usr/lib/cni")  # Debian's place for CNI plugins
CGROUPS = Path("/sys/fs/cgroup")
GONE_SECONDS = 60.0


class Node:
    """All calls block. `home` holds logs, configuration and, from one node to the next, the images."""

    def __init__(self, home: Path, *, network: Network, processes: Processes, programs: Programs) -> None:
        self._home = home
        self._network = network
        self._processes = processes
        self._programs = programs
        self._tasks = home / "containerd" / "io.containerd.runtime.v2.task"
        self.namespaces = NodeNamespaces(home / "state", network, processes, programs)

    def start_namespaces(self) -> None:
        """The network between machine and node is there when it returns. Raises AddressTaken or SetupFailed."""
        _remove_cgroups(self._tasks)
        shutil.rmtree(self._tasks, ignore_errors=True)  # they have ended, which containerd has not seen
        self.namespaces.start()

    def start(self, plane: ControlPlane) -> None:
        """Begins what a node consists of; `Ready` is for the API server to say. Raises ProgramFailed or SetupFailed."""
        containerd = self._containerd()
        self._processes.start(containerd)
        self._forget_containers()
        self._processes.restart(containerd.name)
        self.import_image(write_pause_image(self._home / "pause.tar", self._programs))
        self._processes.launch(self._kubelet(plane))
        self._processes.launch(self._kube_proxy(plane))

    def stop(self) -> None:
        """Every process, mount, interface and rule of the node is gone when it returns."""
        self.namespaces.stop()
        _remove_cgroups(self._tasks)

    def has_image(self, name: str) -> bool:
        """Raises SetupFailed."""
        return name in self._images()

    def import_image(self, archive: Path) -> None:
        """From a file, as there is no registry. Raises SetupFailed."""
        self._ctr("images", "import", str(archive))

    def forget_images(self, *, but: Collection[str]) -> None:
        """Free the disk of all others. Raises SetupFailed."""
        images = self._images()
        kept = {images[name] for name in but}
        unwanted = [name for name, digest in images.items() if digest not in kept]
        if unwanted:
            self._ctr("images", "remove", "--sync", *unwanted)

    def kill_container(self, identity: str) -> None:
        """SIGKILL to its first process, with which all others end. Raises SetupFailed."""
        self._ctr("task", "kill", "--signal=SIGKILL", identity)

    def _images(self) -> dict[str, str]:
        """Names and digests; containerd gives each image a second name of its own."""
        lines = self._ctr("images", "list").splitlines()[1:]
        return {name: digest for name, _, digest, *_ in (line.split() for line in lines)}

    def _ctr(self, *arguments: str) -> str:
        return self.namespaces.run("ctr", f"--address={SOCKET}", "--namespace=k8s.io", *arguments)

    def _forget_containers(self) -> None:
        # they ended with the node before this one, and kubelet would take minutes to find that out
        found = self._ctr("containers", "list", "--quiet").split()
        if found:
            self._ctr("containers", "delete", *found)

    def _containerd(self) -> Program:
        path = self._write("containerd.toml", _containerd_settings(self._home))
        self._write("cni/fedka.conflist", json.dumps(_pod_network(self._network)))

        def answers() -> bool:
            try:
                self._ctr("version")
            except SetupFailed:
                return False
            return True

        command = self.namespaces.inside("containerd", f"--config={path}")
        return Program("containerd", command, ready=answers, behind=True)

    def _kubelet(self, plane: ControlPlane) -> Program:
        path = self._write("kubelet.yaml", yaml.safe_dump(_kubelet_settings()))
        command = self.namespaces.inside(
            self._programs.path("kubelet"),
            f"--config={path}",
            f"--kubeconfig={plane.kubeconfig('system:node:node')}",
            f"--hostname-override={NAME}",
            f"--node-ip={self._network.node}",
        )
        return Program("kubelet", command, behind=True)

    def _kube_proxy(self, plane: ControlPlane) -> Program:
        path = self._write("kube-proxy.yaml", yaml.safe_dump(_proxy_settings(plane)))
        command = self.namespaces.inside(self._programs.path("kube-proxy"), f"--config={path}")
        return Program("kube-proxy", command, behind=True)

    def _write(self, name: str, text: str) -> Path:
        path = self._home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


def _containerd_settings(home: Path) -> str:
    return f"""
version = 2
root = "{home / "containerd"}"
state = "/run/containerd"
[grpc]
  address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true  # a machine without CAP_SYS_RESOURCE refuses the scores that kubelet wants
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{PLUGINS}"
    conf_dir = "{home / "cni"}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


def _pod_network(network: Network) -> dict[str, Any]:
    ranges = [[{"subnet": network.pods, "rangeStart": network.first_pod, "gateway": network.node}]]
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": False,  # the bridge has its address already, and another beside it would be taken for the node's
        "hairpinMode": True,  # a pod may reach itself through a Service
        "ipam": {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]},
    }
    return {
        "cniVersion": "0.4.0",
        "name": "fedka",
        "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}],
    }


def _kubelet_settings() -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,  # needs a hierarchy that a container or a bare machine's cgroup v1 may not have
        "enforceNodeAllocatable": [],  # the same
        "failSwapOn": False,
        "oomScoreAdj": 0,  # lower ones need CAP_SYS_RESOURCE
        "authentication": {
            "anonymous": {"enabled": True},
            "webhook": {"enabled": False},
        },  # only this machine gets here
        "authorization": {"mode": "AlwaysAllow"},  # the same
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,  # what has been imported cannot be pulled again
        "clusterDNS": ["10.96.0.10"],  # nobody is there: pods use addresses; without one each pod would get a warning
        "clusterDomain": "cluster.local",
        "registerWithTaints": [],
    }


def _proxy_settings(plane: ControlPlane) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(plane.kubeconfig("system:kube-proxy"))},
        "hostnameOverride": NAME,
        "conntrack": {"maxPerCore": 0},  # the machine's limits are its owner's
        "iptables": {
            "masqueradeAll": True
        },  # the API server is on the pods' own wire, and must not answer past the node
    }


def _remove_cgroups(tasks: Path) -> None:
    # by name: another containerd of the machine, if there is one, keeps its own beside ours
    ours = {path.name for path in (tasks / "k8s.io").glob("*")}
    for parent in [CGROUPS / "k8s.io", *CGROUPS.glob("*/k8s.io")]:
        for directory in (path for path in parent.glob("*") if path.name in ours):
            if not wait_until(lambda: _removed(directory), GONE_SECONDS):  # noqa: B023  asked before the next turn
                raise SetupFailed(f"{directory} still has processes {GONE_SECONDS:g} s after its node has ended.")
        _removed(parent)


def _removed(directory: Path) -> bool:
    try:
        directory.rmdir()
    except OSError:  # its last process is still on its way out, or it holds other containers
        return False
    return True
