"""`FEDKA_CLUSTER=kind make cluster`: Fedka in a cluster of kind where Docker runs, with neither root nor a build of it.

The cluster is kept by Docker and lasts until `make cluster-down`. Its Kafka runs beside it on this machine, and ends
with the process that started it; both are taken up again, with all that is in them, by the next.
"""

import contextlib
import ipaddress
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from . import current
from .chart import NAMESPACE, RESTRICTED, credentials, fresh_values
from .cluster import take_alone
from .docker_images import (
    CommandFailed,
    DockerAway,
    ProgramMissing,
    alias_of,
    build_images,
    call,
    check_docker,
    need,
)
from .helm import Helm, HelmFailed
from .secured_kafka import SecuredKafka
from .waiting import wait_until

NAME = "fedka"
READY = "180s"
ANSWER_SECONDS = 180.0
BY_DOCKER = {"KIND_EXPERIMENTAL_PROVIDER": "docker"}  # kind takes podman where it finds both; the images are Docker's

FAILURES = (ProgramMissing, DockerAway, CommandFailed)  # of `remove`

StartKafka = Callable[[Path, str], AbstractContextManager[SecuredKafka]]


class GatewayElsewhere(Exception):
    """Pods of kind cannot be given an address of this machine."""


class NotReady(Exception):
    """The operator did not become ready; the message ends with the state of its pods."""


def kafka_at(home: Path, address: str) -> SecuredKafka:
    """A real one, whose certificate holds the address."""
    return SecuredKafka(home, address=address)


@contextlib.contextmanager
def running(home: Path, progress: Callable[[str], None], start_kafka: StartKafka = kafka_at) -> Iterator[Path]:
    """The kubeconfig of a cluster with Fedka, whose Kafka lives as long as the body.

    Raises ClusterRuns, ProgramMissing, DockerAway, CommandFailed, GatewayElsewhere, NotReady, any LocalKafkaError, and
    GoMissing or BuildFailed where Helm is not installed.
    """
    check_programs()
    lock = take_alone(home)
    try:
        kubeconfig = _kubeconfig(home)
        _ensure_cluster(home, kubeconfig, progress)
        address = gateway()
        names = build_images(progress)
        progress("Loading the images into kind's node")
        call("kind", "load", "docker-image", f"--name={NAME}", *names.values(), alias_of("hospital"), changes=BY_DOCKER)
        progress(f"Starting Kafka at {address}")
        _state(home).mkdir(exist_ok=True)
        with start_kafka(_state(home) / f"kafka-{address}", address) as kafka:  # a certificate is for its address
            values = fresh_values(fedka=names["fedka"], participant=names["participant"], kafka=kafka, address=address)
            (_state(home) / "values.json").write_text(json.dumps(values))
            _install(home, kubeconfig, kafka, progress)
            yield kubeconfig
    finally:
        lock.release()


def remove(home: Path) -> None:
    """The cluster, if there is one, and Kafka's data. Raises ProgramMissing, DockerAway, CommandFailed."""
    check_programs()
    call("kind", "delete", "cluster", f"--name={NAME}", f"--kubeconfig={_kubeconfig(home)}", changes=BY_DOCKER)
    shutil.rmtree(_state(home), ignore_errors=True)


def check_programs() -> None:
    """Raises ProgramMissing or DockerAway."""
    check_docker()
    need("kind", "https://kind.sigs.k8s.io/docs/user/quick-start")
    need("kubectl", "https://kubernetes.io/docs/tasks/tools")


def gateway() -> str:
    """The IPv4 address at which this machine is reached from kind's nodes. Raises GatewayElsewhere, CommandFailed."""
    name = os.environ.get("KIND_EXPERIMENTAL_DOCKER_NETWORK", "kind")
    (network,) = json.loads(call("docker", "network", "inspect", name))
    interfaces = [
        ipaddress.ip_interface(each["Gateway"]) for each in network["IPAM"]["Config"] or [] if each.get("Gateway")
    ]
    found = [str(interface.ip) for interface in interfaces if interface.version == 4]
    if not found:
        raise GatewayElsewhere(f"Docker's network {name} has no gateway with an IPv4 address. Its own: {interfaces}.")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((found[0], 0))
        except OSError as failure:
            raise GatewayElsewhere(
                f"The gateway of Docker's network {name}, {found[0]}, is no address of this machine ({failure}): "
                "Docker Desktop and rootless Docker keep their networks in a machine of their own, where no Kafka of "
                "this one can listen. Use the daemon of Docker Engine on Linux, or name a Kafka that pods reach: "
                "FEDKA_CLUSTER=current make cluster."
            ) from failure
    return found[0]


def _ensure_cluster(home: Path, kubeconfig: Path, progress: Callable[[str], None]) -> None:
    if NAME in call("kind", "get", "clusters", changes=BY_DOCKER).split():
        call("docker", "start", f"{NAME}-control-plane")  # Docker, started again, may have left it stopped
        call("kind", "export", "kubeconfig", f"--name={NAME}", f"--kubeconfig={kubeconfig}", changes=BY_DOCKER)
        _await_api(kubeconfig)
        return
    shutil.rmtree(_state(home), ignore_errors=True)  # of a cluster that has gone
    progress(f"Creating the cluster {NAME} with kind")
    call(
        "kind", "create", "cluster", f"--name={NAME}", f"--kubeconfig={kubeconfig}", f"--wait={READY}",
        changes=BY_DOCKER,
    )  # fmt: skip


def _await_api(kubeconfig: Path) -> None:
    ask = ("kubectl", f"--kubeconfig={kubeconfig}", "get", "--raw=/readyz")

    def answers() -> bool:
        try:
            call(*ask)
        except CommandFailed:
            return False
        return True

    if not wait_until(answers, ANSWER_SECONDS):
        call(*ask)  # says what is wrong


def _install(home: Path, kubeconfig: Path, kafka: SecuredKafka, progress: Callable[[str], None]) -> None:
    progress("Installing the chart")
    kubectl = ("kubectl", f"--kubeconfig={kubeconfig}")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": RESTRICTED}}
    objects = {"apiVersion": "v1", "kind": "List", "items": [namespace, credentials(kafka, NAMESPACE)]}
    call(*kubectl, "apply", "--server-side", "--filename=-", stdin=json.dumps(objects))
    try:
        current.install(Helm(current.find_helm(progress), home, kubeconfig), _state(home) / "values.json")
    except HelmFailed as failure:
        pods = call(*kubectl, "describe", "pods", f"--namespace={NAMESPACE}")
        raise NotReady(f"{failure}\n{pods}") from failure


def _kubeconfig(home: Path) -> Path:
    return home / "kind.kubeconfig"


def _state(home: Path) -> Path:
    return home / "state"
