"""A real Kubernetes API in seconds: etcd, API server, controllers and scheduler, without a node.

Whatever needs no running pod can be tested on it: validation, server-side apply, garbage collection, Jobs' objects,
rights. Any number run at once.
"""

import json
import os
import random
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from .control_plane import ControlPlane
from .ports import free_ports
from .processes import Processes
from .programs import Programs, kubernetes_programs, silent
from .waiting import wait_until

CALL_SECONDS = 120
READY_SECONDS = 120.0
TOKEN_LIFE = "24h"
OUR_CRDS = Path(__file__).parents[2] / "crds"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@contextmanager
def api_server_with_crds(home: Path) -> Iterator["ApiServer"]:
    """One that knows our kinds; of `home` the logs stay."""
    with ApiServer(home, crds=sorted(OUR_CRDS.glob("*.yaml"))) as server:
        yield server
    shutil.rmtree(home / "etcd")  # pytest keeps the directories of three runs


class KubectlFailed(Exception):
    """kubectl ended with an error; the message is what it said."""


class ApiServer:
    """Files and logs lie in `home`, which may be deleted after `stop`. All calls block.

    `crds` are applied before the controllers start: the garbage collector looks for new kinds only at its start
    and every 30 s.
    """

    def __init__(
        self,
        home: Path,
        *,
        crds: Sequence[Path] = (),
        address: str = "127.0.0.1",
        programs: Programs | None = None,
        progress: Callable[[str], None] = silent,
        rng: random.Random | None = None,
    ) -> None:
        self._home = home.resolve()
        self._crds = crds
        self._address = address
        self._programs = programs or kubernetes_programs(progress=progress)
        self._rng = rng or random.SystemRandom()
        self._plane: ControlPlane | None = None
        self.processes = Processes(self._home / "logs")

    @property
    def plane(self) -> ControlPlane:
        """Only after `start`."""
        assert self._plane is not None, "start() has not been called yet"
        return self._plane

    @property
    def url(self) -> str:
        """`https://HOST:PORT`."""
        return self.plane.url

    @property
    def kubeconfig(self) -> Path:
        """Of an administrator who may do everything."""
        return self.plane.kubeconfig("admin")

    def start(self) -> None:
        """Returns when it answers and its controllers work. Raises ProgramFailed."""
        port = next(free_ports(self._rng, self._address))
        etcd_ports = (each for each in free_ports(self._rng, "127.0.0.1") if each != port)
        self._plane = plane = ControlPlane(
            self._home, self._programs, self._address, port, next(etcd_ports), next(etcd_ports)
        )
        plane.write_files()
        try:
            self.processes.launch(plane.etcd())
            self.processes.start(plane.api_server())
            self._apply_crds()
            self.processes.start(plane.controller_manager())
            self.processes.start(plane.scheduler())
            self._await_service_account("default")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends every program; nothing of them stays behind but files in `home`."""
        self.processes.end_all()

    def kill(self, name: str) -> None:
        """SIGKILL to the program of that name, such as `kube-apiserver`."""
        self.processes.kill(name)

    def restart(self, name: str) -> None:
        """Returns when the program is ready again, at the same address and with the same data."""
        self.processes.restart(name)

    def kubectl(self, *arguments: str, stdin: str | None = None, kubeconfig: Path | None = None) -> str:
        """What it printed. Raises KubectlFailed."""
        ran = subprocess.run(
            [self._programs.path("kubectl"), f"--kubeconfig={kubeconfig or self.kubeconfig}", *arguments],
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            env=os.environ | {"GOGC": "off"},  # a third of its CPU goes into collecting what it would soon leave behind
            check=False,
            timeout=CALL_SECONDS,
        )
        if ran.returncode != 0:
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: {ran.stderr.strip() or ran.stdout.strip()}")
        return ran.stdout

    def get(self, *arguments: str) -> dict[str, Any]:
        """`kubectl get ... -o json`, read. Raises KubectlFailed."""
        found: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "--output=json"))
        return found

    def apply(self, *objects: dict[str, Any]) -> None:
        """`kubectl apply` of these. Raises KubectlFailed."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "--server-side", "--filename=-", stdin=json.dumps(listed))

    def create_namespace(self, name: str, labels: dict[str, str] | None = None) -> str:
        """Its name, when pods can be made in it."""
        metadata = {"name": name, "labels": labels or {}}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        self._await_service_account(name)
        return name

    def fresh_namespace(self, stem: str, labels: dict[str, str] | None = None) -> str:
        """The name of one that no other test has: which of them share a server differs from run to run."""
        return self.create_namespace(f"{stem}-{uuid.uuid4().hex[:12]}", labels)

    def kubeconfig_for(self, service_account: str, namespace: str = "default") -> Path:
        """One that holds a token of this ServiceAccount, and nothing of the administrator's."""
        token = self.kubectl(
            "create", "token", service_account, f"--namespace={namespace}", f"--duration={TOKEN_LIFE}"
        ).strip()
        path = self._home / f"{namespace}-{service_account}.kubeconfig"
        self.plane.write_kubeconfig(path, token, namespace)
        return path

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _apply_crds(self) -> None:
        for path in self._crds:
            name = yaml.safe_load(path.read_text())["metadata"]["name"]
            self.plane.ask(
                "PATCH", f"{CRDS}/{name}?fieldManager=cluster", path.read_bytes(), "application/apply-patch+yaml"
            )
        if not wait_until(self._all_established, READY_SECONDS):
            raise KubectlFailed(f"Not every CRD is established after {READY_SECONDS:g} s.")

    def _all_established(self) -> bool:
        conditions = [crd["status"].get("conditions") or [] for crd in json.loads(self.plane.ask("GET", CRDS))["items"]]
        return all({("Established", "True")} <= {(each["type"], each["status"]) for each in of} for of in conditions)

    def _await_service_account(self, namespace: str) -> None:
        def made() -> bool:
            found = json.loads(self.plane.ask("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts"))
            return bool(found["items"])

        if not wait_until(made, READY_SECONDS):
            raise KubectlFailed(f"Namespace {namespace} has had no default ServiceAccount for {READY_SECONDS:g} s.")
