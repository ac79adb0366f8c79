"""Operators as processes of their own, as pods would run them, on a real API server."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..cluster.api_server import ApiServer
from ..cluster.waiting import wait_until

GENEROUS_SECONDS = 90.0
NOWHERE = "127.0.0.1:1"  # nobody listens there


def training(name: str = "fraud", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "fedka.dev/v1alpha1",
        "kind": "FederatedTraining",
        "metadata": {"name": name},
        "spec": {
            "app": {"image": "registry.example/fraud:1", "entrypoint": "fraud:app"},
            "rounds": {"count": 3},
            "participants": [{"name": "bank-a"}, {"name": "bank-b"}],
            **spec,
        },
    }


@dataclass
class OperatorProcess:
    """`log` holds all it said."""

    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(GENEROUS_SECONDS)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(GENEROUS_SECONDS)

    def until_said(self, pattern: str) -> str:
        """The first group of the pattern, once the log has it."""
        found: list[str] = []

        def said() -> bool:
            match = re.search(pattern, self.log.read_text())
            if match:
                found.append(match.group(1) if match.groups() else match.group())
            return bool(match) or self.process.poll() is not None

        wait_until(said, GENEROUS_SECONDS)
        assert found, f"{pattern!r} was not said:\n{self.log.read_text()}"
        return found[0]

    def ask(self, path: str) -> str:
        """What its endpoint answers."""
        port = self.until_said(r"endpoints on port (\d+)")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=GENEROUS_SECONDS) as answer:
            return answer.read().decode()


@dataclass
class Operators:
    """Of one namespace, which is all they watch."""

    server: ApiServer
    namespace: str
    home: Path
    bootstrap_servers: str = NOWHERE
    processes: list[OperatorProcess] = field(default_factory=list)

    def start(self, *, kubeconfig: Path | None = None, **configuration: Any) -> OperatorProcess:
        """One more."""
        number = len(self.processes)
        path, log = self.home / f"operator-{number}.yaml", self.home / f"operator-{number}.log"
        document = {
            "watchNamespaces": [self.namespace],
            "leaseNamespace": self.namespace,
            "images": {"aggregator": "fedka:1", "participant": "participant:1"},
            "port": 0,
            "kafkaClusters": [{"name": "default", "bootstrapServers": self.bootstrap_servers}],
        }
        path.write_text(yaml.safe_dump(document | configuration))
        environment = {**os.environ, "KUBECONFIG": str(kubeconfig or self.server.kubeconfig)}
        command = [sys.executable, "-m", "fedka", "operator", "--config", str(path)]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        self.processes.append(OperatorProcess(process, log))
        return self.processes[-1]

    def stop(self) -> None:
        for each in self.processes:
            if each.process.poll() is None:
                each.kill()

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.server.kubectl(*arguments, f"--namespace={self.namespace}", stdin=stdin)

    def apply(self, obj: dict[str, Any]) -> None:
        self.kubectl("apply", "--server-side", "--filename=-", stdin=yaml.safe_dump(obj))

    def get(self, *arguments: str) -> dict[str, Any]:
        return self.server.get(*arguments, f"--namespace={self.namespace}")

    def until(self, resource: str, jsonpath: str, value: str) -> None:
        """Until a field has a value."""
        condition = f"--for=jsonpath={{{jsonpath}}}={value}"
        self.kubectl("wait", resource, condition, f"--timeout={GENEROUS_SECONDS:.0f}s")

    def holder(self) -> str:
        return self.get("lease", "fedka-operator")["spec"].get("holderIdentity", "")
