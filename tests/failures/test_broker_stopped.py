"""A broker that stands still for a minute is waited for: the status says so, and the run goes on by itself afterwards.

A minute is twice what an aggregator gives a participant of which it hears nothing, and more than any request of a
client is waited for: nobody may be lost by it, and no round missed.
"""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from fedka import exit_codes

from ..cli.command import Directory
from ..cluster.waiting import wait_until
from .undisturbed import small_training, undisturbed_digests

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]  # a minute of nothing, on a loaded machine
ROUNDS = 20
PATIENCE = 120.0
STANDS_STILL_SECONDS = 60.0  # three alive records are missed after 30


def broker(directory: Directory) -> int:
    """Its process id."""
    settings = f"{directory.path}/state/kafka/server.properties"
    return next(pid for pid, command in directory.processes() if settings in command)


def kafka_ready(directory: Directory) -> tuple[str, str]:
    status = json.loads((directory.path / "state" / "training.json").read_text())["status"]
    condition = next(each for each in status["conditions"] if each["type"] == "KafkaReady")
    return condition["status"], condition["reason"]


def log_of(directory: Directory, whose: str) -> Path:
    (log,) = (directory.path / "state" / "logs").glob(f"*-{whose}-*.log")
    return log


def until_said_in_log(directory: Directory, whose: str, text: str) -> None:
    log = log_of(directory, whose)
    assert wait_until(lambda: text in log.read_text(), PATIENCE), log.read_text()


def test_everyone_waits_for_a_broker_that_stands_still(directory: Directory) -> None:
    file = small_training(directory, pause=0.2, rounds={"count": ROUNDS})
    running = directory.start("run", file, "--state-dir", "state", "-o", "json")
    running.until(f"round 2/{ROUNDS}")
    os.kill(broker(directory), signal.SIGSTOP)
    since = time.monotonic()
    try:
        running.until("KafkaUnreachable: ")
        assert kafka_ready(directory) == ("False", "KafkaUnreachable")
        until_said_in_log(directory, "aggregator", "WARNING")
        assert wait_until(lambda: time.monotonic() - since > STANDS_STILL_SECONDS, PATIENCE)
        assert kafka_ready(directory) == ("False", "KafkaUnreachable")
    finally:
        os.kill(broker(directory), signal.SIGCONT)
    running.until("Kafka answers again")
    assert running.wait() == exit_codes.OK
    status = json.loads(running.stdout)["status"]
    assert (status["phase"], status["rounds"]["missed"]) == ("Complete", 0)
    assert status["model"]["digest"] == undisturbed_digests(ROUNDS)[-1]
    assert " lost" not in running.stderr + log_of(directory, "aggregator").read_text()
    assert directory.left_behind() == []
