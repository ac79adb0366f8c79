"""The node's own process, mount and network namespaces, as kind's node container has them, without a container runtime.

Pods, their mounts, interfaces and iptables rules exist only in there: when the first process ends, even by a crash of
whoever started it, the kernel removes all of it, and the machine is as it was. A cable of two virtual interfaces joins
the node's network to the machine's.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .processes import Processes, Program, child_of
from .programs import Programs
from .waiting import wait_until

BRIDGE = "pods"  # in the node: pods are plugged into it
PLUG = "host"  # in the node: the other end of the cable
PREFIX_LENGTH = 24
FIRST = "node"
GONE_SECONDS = 60.0  # the kernel takes the cable away a moment after the node's last process
TAKEN_SECONDS = 10.0  # a cable that is still there by then is another cluster's
PASSING = ("/run", "/var/log")  # in memory: nothing that programs note there is to outlive the node
KEPT = ("/var/lib/kubelet", "/var/lib/cni", "/var/log/pods")  # on disk, in a directory of ours


@dataclass(frozen=True)
class Network:
    """10.NUMBER.0.0/24: one number a cluster of this machine, of those that a home or a company seldom has."""

    number: int = 244

    @property
    def host(self) -> str:
        """The machine's address: there the API server and Kafka listen."""
        return f"10.{self.number}.0.1"

    @property
    def node(self) -> str:
        """The node's address, and its pods' gateway."""
        return f"10.{self.number}.0.2"

    @property
    def pods(self) -> str:
        """Of which addresses from `first_pod` on are theirs."""
        return f"10.{self.number}.0.0/{PREFIX_LENGTH}"

    @property
    def first_pod(self) -> str:
        return f"10.{self.number}.0.10"

    @property
    def cable(self) -> str:
        """The machine's end of it."""
        return f"fedka{self.number}"


class AddressTaken(Exception):
    """The machine has the cable already: another cluster runs."""


class SetupFailed(Exception):
    """A command that prepares the node was refused."""


class NodeNamespaces:
    """There from `start` until the process `FIRST` is stopped."""

    def __init__(self, home: Path, network: Network, processes: Processes, programs: Programs) -> None:
        self._network = network
        self._home = home
        self._processes = processes
        self._programs = programs

    def start(self) -> None:
        """Raises AddressTaken or SetupFailed."""
        if not wait_until(self._cable_gone, TAKEN_SECONDS):
            raise AddressTaken(
                f"A cluster runs on this machine: {self._network.cable} exists. End it: make cluster-down."
            )
        unshare = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._processes.start(Program(FIRST, [*unshare, self._programs.path("pause")], ready=self._begun, behind=True))
        self._mount()
        self._connect()

    def stop(self) -> None:
        """Every process in there, and all that they had, is gone when it returns. Raises SetupFailed."""
        if not self._processes.alive(FIRST):
            return  # a cable that is there is another cluster's
        self._processes.stop(FIRST)
        if not wait_until(self._cable_gone, GONE_SECONDS):
            raise SetupFailed(f"{self._network.cable} is still there {GONE_SECONDS:g} s after its node has ended.")

    def inside(self, *command: str) -> list[str]:
        """The command line that runs `command` in there, as a child of its own (`Program.behind`)."""
        return ["nsenter", f"--target={self._processes.pid(FIRST)}", "--mount", "--net", "--pid", "--", *command]

    def run(self, *command: str) -> str:
        """What it printed. Raises SetupFailed."""
        return _run(self.inside(*command))

    def _cable_gone(self) -> bool:
        return not Path(f"/sys/class/net/{self._network.cable}").exists()

    def _begun(self) -> bool:
        try:
            first = child_of(self._processes.pid_of_starter(FIRST))
        except ProcessLookupError:
            return False
        return Path(f"/proc/{first}/comm").read_text().strip() == "pause"  # its namespaces are complete by then

    def _mount(self) -> None:
        for directory in PASSING:
            self.run("mount", "-t", "tmpfs", "tmpfs", directory)
        for directory in KEPT:
            ours = self._home / directory.lstrip("/").replace("/", "-")
            ours.mkdir(parents=True, exist_ok=True)
            self.run("mkdir", "-p", directory)
            self.run("mount", "--bind", str(ours), directory)

    def _connect(self) -> None:
        network, first = self._network, str(self._processes.pid(FIRST))
        _run(["ip", "link", "add", network.cable, "type", "veth", "peer", "name", PLUG, "netns", first])
        _run(["ip", "address", "add", f"{network.host}/{PREFIX_LENGTH}", "dev", network.cable])
        _run(["ip", "link", "set", network.cable, "up"])
        inside = (
            "link set lo up",
            f"link add {BRIDGE} type bridge",
            f"link set {PLUG} master {BRIDGE} up",
            f"address add {network.node}/{PREFIX_LENGTH} dev {BRIDGE}",
            f"link set {BRIDGE} up",
            f"route add default via {network.host}",  # kubelet looks for one; nobody forwards what goes there
        )
        for words in inside:
            self.run("ip", *words.split())
        self.run("sysctl", "--quiet", "net.ipv4.ip_forward=1")  # from pods to what Services stand for


def _run(command: Sequence[str]) -> str:
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise SetupFailed(f"{' '.join(command)}: {ran.stderr.strip() or ran.stdout.strip()}")
    return ran.stdout
