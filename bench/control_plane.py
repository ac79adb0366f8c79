"""How the operator starts and idles with many trainings: `python bench/control_plane.py --trainings 2000 --jobs 2`.

Makes suspended trainings and their Jobs on a real API server of its own (2000 with 2 Jobs each are 6000 objects, with
10 each 22,000), and starts an operator that finds nothing to change: seconds from exec until all are reconciled, CPU,
memory, and what it uses when idle. Not named operator.py, which would hide Python's own module of that name from every
script beside it.
"""

import argparse
import asyncio
import os
import random
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

from tests.cluster.api_server import ApiServer, api_server_with_crds
from tests.cluster.ports import free_ports
from tests.kubernetes.many_trainings import (
    Figures,
    copy_first,
    cpu_seconds,
    make_first,
    read_figures,
    resident_mib,
    settled,
)

NAMESPACE = "bench"
PORT = next(free_ports(random.Random(), "127.0.0.1"))  # noqa: S311  no secrets
CONFIGURATION = f"""
leaseNamespace: {NAMESPACE}
images: {{aggregator: "fedka:bench", participant: "fedka-participant:bench"}}
port: {PORT}
kafkaClusters: [{{name: default, bootstrapServers: "KAFKA"}}]
"""
NOWHERE = "127.0.0.1:1"


@contextmanager
def operator(server: ApiServer, home: Path, *, named: bool, kafka: str = NOWHERE) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own, stopped in order."""
    path = home / "operator.yaml"
    configuration = CONFIGURATION.replace("KAFKA", kafka)
    path.write_text(configuration + (f"watchNamespaces: [{NAMESPACE}]\n" if named else ""))
    command = [str(Path(sys.executable).with_name("fedka")), "operator", "--config", str(path)]
    with subprocess.Popen(
        [*command, "--log-level", "warning"], env={**os.environ, "KUBECONFIG": str(server.kubeconfig)}
    ) as process:
        try:
            yield process
        finally:
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            code = process.wait()
            print(f"stopped with code {code} in {time.monotonic() - began:.2f} s")


def is_ready() -> bool:
    """Whether the operator knows of all that exists."""
    return _said("readyz") is not None


def figures() -> Figures:
    """The operator's metrics; empty while nobody listens."""
    return read_figures(_said("metrics") or "")


def _said(path: str) -> str | None:
    """What the operator answers; None while nobody listens, or with 503."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/{path}", timeout=10) as answer:
            text: str = answer.read().decode()
    except OSError:
        return None
    return text


def until_settled(process: subprocess.Popen[bytes], count: int) -> None:
    """Until each training has been looked at and has a status. The metrics cost the operator 3 ms, so they are asked
    for only once it knows of all that exists.
    """
    while not (is_ready() and settled(figures(), count)):
        if process.poll() is not None:
            sys.exit(f"the operator has ended with code {process.returncode}")
        time.sleep(0.05)


def measure(server: ApiServer, home: Path, asked: argparse.Namespace) -> None:
    """Print the figures."""
    server.create_namespace(NAMESPACE)
    asyncio.run(make_first(server.kubeconfig, NAMESPACE, participants=asked.participants, jobs=asked.jobs))
    with operator(server, home, named=asked.named) as process:
        until_settled(process, 1)
    began = time.monotonic()
    copy_first(server, NAMESPACE, range(1, asked.trainings))
    objects = asked.trainings * (1 + asked.jobs)
    print(f"{asked.trainings} trainings of {asked.participants} participants, {objects} objects", end=" ")
    print(f"(copied in {time.monotonic() - began:.0f} s)")
    began = time.monotonic()
    with operator(server, home, named=asked.named) as process:
        until_settled(process, asked.trainings)
        print(
            f"cold start, nothing to change: {time.monotonic() - began:.2f} s from exec to all reconciled, "
            f"{cpu_seconds(process.pid):.1f} CPU seconds, {resident_mib(process.pid)} MiB "
            f"(at most {resident_mib(process.pid, 'VmHWM')} MiB)"
        )
        time.sleep(asked.settle)
        before, since = cpu_seconds(process.pid), time.monotonic()
        time.sleep(asked.idle)
        share = (cpu_seconds(process.pid) - before) / (time.monotonic() - since)
        print(f"idle: {share:.2%} of a core, {resident_mib(process.pid)} MiB")
    print(f"the machine's load is {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainings", type=int, default=2000)
    parser.add_argument("--participants", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2, help="of each training, at most one more than its participants")
    parser.add_argument("--named", action="store_true", help="watch this namespace alone")
    parser.add_argument("--settle", type=float, default=10, help="seconds before idling is measured")
    parser.add_argument("--idle", type=float, default=30, help="seconds of idling to measure")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, api_server_with_crds(Path(place) / "api") as server:
        measure(server, Path(place), asked)
    return 0


if __name__ == "__main__":
    sys.exit(main())
