"""A whole cluster on this machine: Kubernetes with one node, and beside it a Kafka that asks for TLS, users and rights.

One a home and a network. All of it ends with the process that started it.
"""

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from fedka.local.kafka_fetch import default_cache
from fedka.local.kafka_lock import FileLock

from .api_server import ApiServer
from .images import Image
from .node import Node
from .node_namespaces import Network
from .pause_image import PAUSE_IMAGE
from .programs import kubernetes_programs, silent
from .secured_kafka import SecuredKafka
from .tools import check_tools

READY = "120s"


class ClusterRuns(Exception):
    """Another process has a cluster on this machine."""


def take_alone(home: Path) -> FileLock:
    """The lock of a home of clusters, with the id of this process in it. Raises ClusterRuns."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "lock"
    try:
        lock = FileLock(path, patience_seconds=0, cancelled=threading.Event())
    except BlockingIOError as taken:
        pid = path.read_text(encoding="utf-8") or "unknown"
        raise ClusterRuns(
            f"A cluster runs on this machine already, kept by process {pid}. "
            "If `make cluster` started it, end it with: make cluster-down."
        ) from taken
    lock.write(f"{os.getpid()}")
    return lock


class Cluster:
    """Everything of it lies in `home`: what the next start can use again, and in `state` what belongs to this one.

    `api` answers from `start` on, `kafka` too. All calls block.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        network: Network | None = None,
        progress: Callable[[str], None] = silent,
    ) -> None:
        self.network = network or Network()
        self.home = (home or default_cache() / "cluster").resolve()
        self._progress = progress
        self._lock: FileLock | None = None
        self._api: ApiServer | None = None
        self._node: Node | None = None
        self._kafka: SecuredKafka | None = None

    @property
    def api(self) -> ApiServer:
        """Kubernetes, whose components it can kill and restart; pods live on. Only after `start`."""
        assert self._api is not None, "start() has not been called yet"
        return self._api

    @property
    def node(self) -> Node:
        """Only after `start`."""
        assert self._node is not None, "start() has not been called yet"
        return self._node

    @property
    def kafka(self) -> SecuredKafka:
        """Only after `start`."""
        assert self._kafka is not None, "start() has not been called yet"
        return self._kafka

    def start(self) -> None:
        """Returns when the node is ready and Kafka answers.

        Raises ToolsMissing, GoMissing, BuildFailed, ClusterRuns, ProgramFailed, SetupFailed, any LocalKafkaError.
        """
        check_tools()
        programs = kubernetes_programs(progress=self._progress)
        self._lock = take_alone(self.home)
        shutil.rmtree(self.home / "state", ignore_errors=True)  # of a cluster that has gone
        try:
            self._progress("Starting Kubernetes and Kafka")
            self._api = ApiServer(self.home / "state" / "api", address=self.network.host, programs=programs)
            self._node = Node(self.home, network=self.network, processes=self._api.processes, programs=programs)
            self._node.start_namespaces()
            self._kafka = SecuredKafka(self.home / "state" / "kafka", address=self.network.host)
            with ThreadPoolExecutor(1) as beside:
                kafka = beside.submit(self._kafka.start)
                self._start_kubernetes()
                kafka.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """No process, mount, interface or cgroup of it is left when this returns."""
        if self._kafka is not None:
            self._kafka.stop()
        if self._node is not None:
            self._node.stop()
        if self._api is not None:
            self._api.stop()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def import_images(self, images: Sequence[Image]) -> None:
        """Give the node those that it has not, in this order."""
        for image in images:
            if not self.node.has_image(image.name):
                self._progress(f"Loading the image {image.kind}")
                self.node.import_image(image.archive)

    def forget_images(self, *, but: Sequence[Image]) -> None:
        """Free the disk of all others."""
        self.node.forget_images(but=[PAUSE_IMAGE, *(image.name for image in but)])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_kubernetes(self) -> None:
        self.api.start()
        self.node.start(self.api.plane)
        self.api.kubectl("wait", "node", "--all", "--for=create", f"--timeout={READY}")
        self.api.kubectl("wait", "node", "--all", "--for=condition=Ready", f"--timeout={READY}")
