"""Two aggregators of one run: one goes on, the other ends with its own code, and the model is the same."""

import re
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer
from fedka.wire.journal import Verdict
from fedka.wire.records import RoundClosed

from ..cli.command import Directory
from .conftest import NewRig
from .halting import HaltingAggregator
from .undisturbed import small_training, undisturbed_digests

pytestmark = pytest.mark.kafka
BOTH = {"a", "b"}


def test_a_paused_aggregator_that_wakes_late_cannot_write(kafka: KafkaServer, new_rig: NewRig) -> None:
    """It stands just before it decides round 1, and wakes when its successor has finished the run."""
    rig = new_rig(kafka, "a", "b")
    paused = HaltingAggregator(rig.bundle, rig.home / "paused.log", ["before round.closing#2"])
    try:
        rig.spec(rounds={"count": 3})
        rig.join()
        paused.halted("before round.closing")
        paused.pause()
        rig.aggregator.start()
        rig.journal.seen(RoundClosed, 2)
        before = rig.journal.position
        paused.go_on()
        paused.wake()  # from here on it decides, publishes and closes as if nothing had happened
        assert paused.wait() == exit_codes.FENCED
        rig.completed()
        assert rig.aggregator.wait() == [exit_codes.OK]
    finally:
        paused.close()
    rig.assert_exact(BOTH, BOTH, BOTH)
    assert rig.journal.position.epoch == before.epoch == 2
    rig.journal.wait(lambda journal: Verdict.STALE in journal.verdicts, "what it wrote, which does not exist")


def test_a_second_aggregator_started_by_hand_takes_the_run_over(directory: Directory, kafka: KafkaServer) -> None:
    rounds = 60
    file = small_training(directory, pause=0.15, rounds={"count": rounds})
    running = directory.start("run", file, "--bootstrap-servers", kafka.bootstrap_servers, "--state-dir", "state")
    running.until("round 2/")
    by_hand = directory.start("aggregator", "--unsupervised", FEDKA_BUNDLE=aggregator_bundle(directory))
    running.until("aggregator was shut out, as another aggregator has taken the run over (code 42)")
    running.until("the aggregator was started again")
    assert running.wait() == exit_codes.OK
    assert by_hand.wait() in (exit_codes.OK, exit_codes.FENCED)  # the run makes its own anew after ten seconds
    assert undisturbed_digests(rounds)[-1] in running.stdout
    assert directory.left_behind() == []


def aggregator_bundle(directory: Directory) -> str:
    """The directory that the run gave its aggregator."""
    worker = next(pid for pid, command in directory.processes() if re.search(r" aggregator --unsupervised", command))
    environment = Path(f"/proc/{worker}/environ").read_bytes().decode().split("\0")
    found = dict(each.partition("=")[::2] for each in environment)
    return found["FEDKA_BUNDLE"]
