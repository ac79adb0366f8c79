"""A participant that stands still costs a round its update, the status says so, and it is back in the next."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer

from ..cli.command import Directory
from ..cluster.waiting import wait_until
from .undisturbed import small_training

pytestmark = pytest.mark.kafka
ROUNDS = 16
PATIENCE = 90.0
NAMES = ("bank-a", "bank-b", "bank-c")


def test_a_participant_paused_past_the_deadline_joins_the_next_round(directory: Directory, kafka: KafkaServer) -> None:
    file = small_training(
        directory,
        pause=0.3,
        rounds={"count": ROUNDS, "quorum": 2, "minAvailable": 3, "deadlineSeconds": 5},
        participants=[{"name": name} for name in NAMES],
    )
    servers = ("--bootstrap-servers", kafka.bootstrap_servers)
    running = directory.start("run", file, *servers, "--state-dir", "state", "-o", "json")
    running.until("3 of 3 updates")
    paused = worker(directory, "bank-c")
    os.kill(paused, signal.SIGSTOP)
    late = running.until("bank-c: no update came within the 5 s of round")
    missed = int(re.search(r"of round (\d+)", late)[1])  # type: ignore[index]
    assert wait_until(lambda: reason_of(directory, "bank-c") == "Late", PATIENCE), status(directory)
    os.kill(paused, signal.SIGCONT)
    assert running.wait() == exit_codes.OK
    told = re.findall(rf"round (\d+)/{ROUNDS} .* (\d) of 3 updates", running.stderr)
    assert dict(told)[str(missed)] == "2"
    assert (str(ROUNDS), "3") in told, "it was back in time for the last round"
    assert " lost" not in running.stderr
    assert json.loads(running.stdout)["status"]["phase"] == "Complete"


def status(directory: Directory) -> dict[str, Any]:
    """As it stands in the state directory."""
    saved: dict[str, Any] = json.loads((directory.path / "state" / "training.json").read_text())["status"]
    return saved


def reason_of(directory: Directory, name: str) -> str | None:
    details = {detail["name"]: detail for detail in status(directory)["participants"]["detail"]}
    return details[name].get("reason")


def worker(directory: Directory, name: str) -> int:
    """The process that works for this participant, below its supervisor."""
    for pid, command in directory.processes():
        if "participant --unsupervised" in command and f"-{name}-" in Path(f"/proc/{pid}/environ").read_text():
            return pid
    raise AssertionError(f"{name} does not run")
