"""A broker that is killed and started again, in whatever phase a run is, costs time and nothing else."""

import pytest

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer
from fedka.wire.records import ParticipantLost

from ..integration.rig import Rig
from .conftest import NewRig
from .halting import HaltingAggregator

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
