"""A broker that stands still is waited for: the status says so, and the run goes on by itself when it is back.

The stop lasts until the aggregator has noticed it, too: some 20 s, in which the clients' requests run out and they
connect anew in vain. A whole minute would add one thing, that nobody is lost who could not be heard for so long, and
that is tried with shorter signs of life in `tests/integration/test_broker.py`.
"""

import json
import os
import signal

import pytest

from fedka import exit_codes

from ..cli.command import Directory
from ..cluster.waiting import wait_until
from .undisturbed import small_training, undisturbed_digests

pytestmark = pytest.mark.kafka
ROUNDS = 20
PATIENCE = 120.0


def broker(directory: Directory) -> int:
    """Its process id."""
    settings = f"{directory.path}/state/kafka/server.properties"
    return next(pid for pid, command in directory.processes() if settings in command)


def kafka_ready(directory: Directory) -> tuple[str, str]:
    status = json.loads((directory.path / "state" / "training.json").read_text())["status"]
    condition = next(each for each in status["conditions"] if each["type"] == "KafkaReady")
    return condition["status"], condition["reason"]


def until_said_in_log(directory: Directory, whose: str, text: str) -> None:
    (log,) = (directory.path / "state" / "logs").glob(f"*-{whose}-*.log")
    assert wait_until(lambda: text in log.read_text(), PATIENCE), log.read_text()


def test_everyone_waits_for_a_broker_that_stands_still(directory: Directory) -> None:
    file = small_training(directory, pause=0.2, rounds={"count": ROUNDS})
    running = directory.start("run", file, "--state-dir", "state", "-o", "json")
    running.until(f"round 2/{ROUNDS}")
    os.kill(broker(directory), signal.SIGSTOP)
    try:
        running.until("KafkaUnreachable: ")
        assert kafka_ready(directory) == ("False", "KafkaUnreachable")
        until_said_in_log(directory, "aggregator", "WARNING")
    finally:
        os.kill(broker(directory), signal.SIGCONT)
    running.until("Kafka answers again")
    assert running.wait() == exit_codes.OK
    status = json.loads(running.stdout)["status"]
    assert (status["phase"], status["rounds"]["missed"]) == ("Complete", 0)
    assert status["model"]["digest"] == undisturbed_digests(ROUNDS)[-1]
    assert " lost" not in running.stderr
    assert directory.left_behind() == []
