"""What the operator uses while many runs go on: `python bench/running.py --trainings 200 --rounds-per-second 1`.

Makes trainings on a real API server and a real Kafka, and lets an operator provision them. No pods run: this process
writes each run's journal and audit topic as an aggregator would, two updates a round. Printed are the rounds written,
the operator's share of a core, its status writes, and how far the statuses lag behind at the end.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

sys.path.insert(0, str(Path(__file__).parents[1]))

from control_plane import NAMESPACE, figures, is_ready, operator
from tests.cluster.api_server import ApiServer, api_server_with_crds
from tests.kubernetes.many_trainings import cpu_seconds, resident_mib
from tests.reconcile.builders import first_model, joined, whole_round

from fedka.local.kafka_server import KafkaServer
from fedka.wire import records as r
from fedka.wire.codec import encode
from fedka.wire.journal import JournalPosition, judge, sign, start
from fedka.wire.names import RunTopics, run_id

NAMES = ("a", "b")
ROUNDS = 100_000
LOOKS = "fedka_reconcile_seconds_count"
STATUS = 'fedka_kubernetes_requests_total{code="200",method="PATCH",resource="federatedtrainings/status"}'


def training(number: int) -> dict[str, Any]:
    """Of two that are outside, so that no Jobs but the aggregator's are made."""
    return {
        "apiVersion": "fedka.dev/v1alpha1",
        "kind": "FederatedTraining",
        "metadata": {"name": f"running-{number:04}", "namespace": NAMESPACE},
        "spec": {
            "app": {"image": "registry.example/app:1", "entrypoint": "app:app"},
            "rounds": {"count": ROUNDS},
            "participants": [{"name": name, "mode": "External"} for name in NAMES],
        },
    }


@dataclass
class Run:
    """What an aggregator writes, made beforehand: to make it takes as long as to read it, and one core of two."""

    topics: RunTopics
    position: JournalPosition = field(default_factory=JournalPosition)
    written: int = 0
    made: list[list[tuple[str, bytes]]] = field(default_factory=list)

    def make(self, rounds: int) -> None:
        """Both participants come, the first model, and so many rounds."""
        data = start(self.position, r.AggregatorStarted(software="bench"))
        self.position, _ = judge(self.position, data)
        begun = self._signed([*joined(*NAMES), *first_model(NAMES[0])])
        self.made = [[(self.topics.journal, data), *begun]]
        self.made += [list(self._signed(whole_round(number, *NAMES))) for number in range(1, rounds + 1)]

    def next(self, producer: Producer) -> None:
        """Write one whole round."""
        for topic, data in self.made[self.written]:
            producer.produce(topic, data)
        self.written += 1

    def _signed(self, records: Iterable[r.JournalRecord]) -> Iterator[tuple[str, bytes]]:
        """The journal's records, and what the audit topic says of each update."""
        for record in records:
            self.position, data = sign(self.position, record)
            yield self.topics.journal, data
            if isinstance(record, r.UpdateAccepted):
                told = record.model_dump(include={"round", "attempt", "participant", "offset"})
                yield self.topics.audit, encode(r.UpdateAudited(epoch=1, **told, accepted=True, examples=100))


def listed(server: ApiServer) -> list[dict[str, Any]]:
    """All trainings as they are."""
    items: list[dict[str, Any]] = server.get("ft", f"--namespace={NAMESPACE}")["items"]
    return items


def provisioned(item: dict[str, Any]) -> bool:
    """Whether its topics are there."""
    conditions = item.get("status", {}).get("conditions", ())
    return any(each["type"] == "KafkaReady" and each["status"] == "True" for each in conditions)


def wait_until_provisioned(server: ApiServer, process: subprocess.Popen[bytes], count: int) -> list[dict[str, Any]]:
    """Until all have their topics."""
    while True:
        if process.poll() is not None:
            sys.exit(f"the operator has ended with code {process.returncode}")
        if is_ready() and sum(map(provisioned, items := listed(server))) == count:
            return items
        time.sleep(2)


def write_rounds(runs: list[Run], producer: Producer, rate: float, seconds: float) -> None:
    """Each run's rounds at this rate, evenly spread."""
    began, written = time.monotonic(), 0
    turns = _turns(runs)
    while (passed := time.monotonic() - began) < seconds:
        while written < passed * rate * len(runs):
            next(turns).next(producer)
            written += 1
        producer.poll(0.005)
    producer.flush()


def _turns(runs: list[Run]) -> Iterator[Run]:
    while True:
        yield from runs


def completed(item: dict[str, Any]) -> int:
    """Rounds, as the status has it."""
    count: int = item["status"].get("rounds", {}).get("completed", 0)
    return count


def measure(server: ApiServer, kafka: KafkaServer, home: Path, asked: argparse.Namespace) -> None:
    """Print the figures."""
    server.create_namespace(NAMESPACE)
    server.apply(*map(training, range(asked.trainings)))
    with operator(server, home, named=False, kafka=kafka.bootstrap_servers) as process:
        began = time.monotonic()
        items = wait_until_provisioned(server, process, asked.trainings)
        print(f"{asked.trainings} trainings provisioned in {time.monotonic() - began:.0f} s", flush=True)
        producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 5})
        runs = []
        for item in items:
            meta = item["metadata"]
            runs.append(Run(RunTopics(run=run_id(NAMESPACE, meta["name"], meta["uid"]))))
            runs[-1].make(int(asked.rounds_per_second * (asked.settle + asked.seconds)) + 2)
        write_rounds(runs, producer, asked.rounds_per_second, asked.settle)
        rounds, cpu, before = sum(run.written for run in runs), cpu_seconds(process.pid), figures()
        since = time.monotonic()
        write_rounds(runs, producer, asked.rounds_per_second, asked.seconds)
        passed = time.monotonic() - since
        share, after = (cpu_seconds(process.pid) - cpu) / passed, figures()
        per_second = (sum(run.written for run in runs) - rounds) / passed
        print(
            f"{per_second:.0f} rounds a second: {share:.0%} of a core, {resident_mib(process.pid)} MiB, "
            f"{(after.get(STATUS, 0) - before.get(STATUS, 0)) / passed:.1f} status writes and "
            f"{(after[LOOKS] - before[LOOKS]) / passed:.0f} looks a second"
        )
        lags = sorted(run.written - 1 - completed(item) for run, item in zip(runs, listed(server), strict=True))
        print(f"behind at the end: {lags[len(lags) // 2]} rounds at the median, {lags[-1]} at most")
    print(f"the machine's load is {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainings", type=int, default=200)
    parser.add_argument("--rounds-per-second", type=float, default=1, help="of each training")
    parser.add_argument("--settle", type=float, default=15, help="seconds before it is measured")
    parser.add_argument("--seconds", type=float, default=30, help="to measure")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        with api_server_with_crds(home / "api") as server, KafkaServer(state_dir=home / "kafka") as kafka:
            measure(server, kafka, home, asked)
    return 0


if __name__ == "__main__":
    sys.exit(main())
