"""How the operator starts and idles with many trainings: `python bench/control_plane.py --trainings 2000`.

Makes suspended trainings on a real API server (that of KUBECONFIG, else one that is started for it), lets an operator
write their first statuses, and then starts another one that finds nothing to change: seconds from exec until all are
reconciled, CPU, memory, and what it uses when idle. Not named operator.py, which would hide Python's own module of
that name from every script beside it.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.cluster.api_server import ApiServer

from fedka.kubernetes.api import Api
from fedka.kubernetes.cluster import KubernetesCluster
from fedka.kubernetes.login import find_login
from fedka.reconcile.ports import FEDERATED_TRAINING, AlreadyExists

NAMESPACE = "bench"
PORT = 18090
TICK = os.sysconf("SC_CLK_TCK")
CONFIGURATION = f"""
leaseNamespace: {NAMESPACE}
images: {{aggregator: "fedka:bench", participant: "fedka-participant:bench"}}
port: {PORT}
kafkaClusters: [{{name: default, bootstrapServers: "127.0.0.1:1"}}]
"""


def training(number: int, participants: int) -> dict[str, object]:
    """A suspended one."""
    return {
        "apiVersion": "fedka.dev/v1alpha1",
        "kind": "FederatedTraining",
        "metadata": {"name": f"bench-{number}", "namespace": NAMESPACE},
        "spec": {
            "app": {"image": "registry.example/app:1", "entrypoint": "app:app"},
            "rounds": {"count": 10},
            "participants": [{"name": f"participant-{index}"} for index in range(participants)],
            "suspend": True,
        },
    }


async def make_trainings(kubeconfig: str, count: int, participants: int) -> None:
    """Sixteen at a time, as the API server shares the machine."""
    api = Api(find_login(kubeconfig=kubeconfig))
    cluster, room = KubernetesCluster(api), asyncio.Semaphore(16)

    async def make(number: int) -> None:
        async with room:
            try:
                await cluster.create(training(number, participants), field_manager="bench")
            except AlreadyExists:
                return

    try:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        await cluster.apply(namespace, field_manager="bench")
        await asyncio.gather(*(make(number) for number in range(count)))
        print(f"{len(await cluster.list_metadata(FEDERATED_TRAINING))} trainings of {participants} participants")
    finally:
        await api.close()


@contextmanager
def operator(kubeconfig: str, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own, stopped in order."""
    path = home / "operator.yaml"
    path.write_text(CONFIGURATION)
    command = [str(Path(sys.executable).with_name("fedka")), "operator", "--config", str(path)]
    with subprocess.Popen(
        [*command, "--log-level", "warning"], env={**os.environ, "KUBECONFIG": kubeconfig}
    ) as process:
        try:
            yield process
        finally:
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            code = process.wait()
            print(f"stopped with code {code} in {time.monotonic() - began:.2f} s")


def figures() -> dict[str, float]:
    """The operator's metrics; empty while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return {}
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def until_settled(count: int, *, statuses: bool) -> dict[str, float]:
    """Until each training has been looked at, and (`statuses`) has one written."""
    while True:
        now = figures()
        done = now.get('fedka_reconciles_total{outcome="done"}', 0)
        pending = now.get('fedka_trainings{phase="Pending"}', count) if statuses else 0
        if done >= count and now["fedka_queue_depth"] == 0 and pending == 0:
            return now
        time.sleep(0.05)


def cpu_seconds(pid: int) -> float:
    """Of all threads, from the beginning."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mib(pid: int, line: str) -> int:
    """`VmRSS` (now) or `VmHWM` (the most so far)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(row.split()[1] for row in status.splitlines() if row.startswith(line))) // 1024


def measure(kubeconfig: str, home: Path, asked: argparse.Namespace) -> None:
    """Print the figures."""
    asyncio.run(make_trainings(kubeconfig, asked.trainings, asked.participants))
    began = time.monotonic()
    with operator(kubeconfig, home) as process:
        until_settled(asked.trainings, statuses=True)
        print(f"first statuses: {time.monotonic() - began:.1f} s, {cpu_seconds(process.pid):.1f} CPU seconds")
    began = time.monotonic()
    with operator(kubeconfig, home) as process:
        until_settled(asked.trainings, statuses=False)
        print(
            f"cold start, nothing to change: {time.monotonic() - began:.2f} s from exec to all reconciled, "
            f"{cpu_seconds(process.pid):.1f} CPU seconds, {resident_mib(process.pid, 'VmRSS')} MiB "
            f"(at most {resident_mib(process.pid, 'VmHWM')} MiB)"
        )
        time.sleep(asked.settle)
        before, since = cpu_seconds(process.pid), time.monotonic()
        time.sleep(asked.idle)
        share = (cpu_seconds(process.pid) - before) / (time.monotonic() - since)
        print(f"idle: {share:.2%} of a core, {resident_mib(process.pid, 'VmRSS')} MiB")


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainings", type=int, default=2000)
    parser.add_argument("--participants", type=int, default=8)
    parser.add_argument("--settle", type=float, default=10, help="seconds before idling is measured")
    parser.add_argument("--idle", type=float, default=30, help="seconds of idling to measure")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        if kubeconfig := os.environ.get("KUBECONFIG"):
            measure(kubeconfig, home, asked)
        else:
            crds = sorted((Path(__file__).parents[1] / "crds").glob("*.yaml"))
            with ApiServer(home / "api", crds=crds) as server:
                measure(str(server.kubeconfig), home, asked)
    return 0


if __name__ == "__main__":
    sys.exit(main())
