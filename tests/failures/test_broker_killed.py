"""A broker that is killed and started again, in whatever phase a run is, costs time and nothing else."""

import json
import os
import signal
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer
from fedka.wire.records import ParticipantLost

from ..cli.command import Directory
from ..cluster.waiting import wait_until
from ..e2e.small_app import NAME, SOURCE
from ..integration.rig import Rig
from .conftest import NewRig
from .halting import HaltingAggregator
from .test_broker_stopped import PATIENCE, broker
from .undisturbed import small_training, undisturbed_digests

pytestmark = pytest.mark.kafka
PHASES = {  # in the order in which a run comes by; the aggregator stands there while the broker dies
    "waiting for participants": "appended participant.joined",
    "opening": "appended round.opened#2",  # the first asks for the first model
    "collecting": "mid-fold#2",
    "closing, decided": "appended round.closing",
    "closing, between chunks": "model half published#3",
    "closing, chunks published": "published, not closed",
    "between rounds": "acknowledged round.closed",
    "completing": "before run.completed",
}
ROUNDS = 4
TASKS = ("first-model", "training", "evaluating")  # in which a participant is held; then it goes on to upload or answer
HELD = SOURCE.replace("def model(context):", "def model(context):\n    held('first-model')")
HELD = HELD.replace("def train(model, context):", "def train(model, context):\n    held('training', context)")
HELD = HELD.replace("def evaluate(model, context):", "def evaluate(model, context):\n    held('evaluating', context)")
HELD += """

def held(task, context=None):
    import pathlib
    if context is None or (context.participant, context.round) == ("bank-a", 2):
        if pathlib.Path(task).exists():
            pathlib.Path(task).read_bytes()
"""


def test_a_broker_killed_in_each_phase_changes_nothing(own_kafka: KafkaServer, new_rig: NewRig) -> None:
    rig = new_rig(own_kafka, "a", "b")
    aggregator = HaltingAggregator(rig.bundle, rig.home / "aggregator.log", list(PHASES.values()))
    try:
        rig.spec(rounds={"count": 3})
        rig.join(names=["a"])
        for number, point in enumerate(PHASES.values()):
            aggregator.halted(point)
            own_kafka.kill()
            aggregator.go_on()  # with nobody there to answer
            own_kafka.restart()
            if number == 0:
                rig.join(names=["b"])
        assert_undisturbed(rig)
        assert aggregator.wait() == exit_codes.OK
    finally:
        aggregator.close()


def assert_undisturbed(rig: Rig) -> None:
    assert rig.completed().completed_by is not None
    rig.assert_exact(*[set(rig.participants)] * 3)
    assert rig.journal.of(ParticipantLost) == []


@pytest.mark.timeout(900)  # five starts of a broker, on a loaded machine
def test_a_broker_killed_under_real_participants_changes_nothing(directory: Directory) -> None:
    """And while topics are made: a run of `fedka run`, which starts its broker again by itself each time."""
    file = small_training(directory, rounds={"count": ROUNDS})
    (directory.path / f"{NAME}.py").write_text(HELD)
    for task in TASKS:
        os.mkfifo(directory.path / task)
    running = directory.start("run", file, "--state-dir", "state", "-o", "json")
    made = directory.path / "state" / "kafka" / "data"
    assert wait_until(lambda: any(made.glob("fedka.*")), PATIENCE), "no topic was made"
    os.kill(broker(directory), signal.SIGKILL)
    for task in TASKS:
        killed_while_held(directory, directory.path / task)
    assert running.wait() == exit_codes.OK, running.stderr
    assert running.stderr.count("Apache Kafka has ended, which was not asked for") == 1 + len(TASKS)
    status = json.loads(running.stdout)["status"]
    assert (status["phase"], status["rounds"]["missed"]) == ("Complete", 0)
    assert status["model"]["digest"] == undisturbed_digests(ROUNDS)[-1]
    assert " lost" not in running.stderr
    assert directory.left_behind() == []


def killed_while_held(directory: Directory, fifo: Path) -> None:
    """The broker, with a participant that waits there."""
    with fifo.open("wb"):  # which waits for whoever is to be held
        fifo.unlink()
        os.kill(broker(directory), signal.SIGKILL)
