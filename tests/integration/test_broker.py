"""A broker killed and started again inside a round: everybody waits, then goes on; nobody is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer
from fedka.wire.records import ParticipantLost

from .rig import Rig
from .scripts import Gate, breathing, scripted_by

pytestmark = pytest.mark.kafka


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaServer]:
    """A broker that the test may kill."""
    with KafkaServer(state_dir=tmp_path / "kafka") as server:
        yield server


def test_a_run_survives_its_broker(own_kafka: KafkaServer, tmp_path: Path) -> None:
    rig, gate = Rig(own_kafka.bootstrap_servers, tmp_path / "run", "abc"), Gate("b", 2)
    rig.aggregator.alive_seconds = 1.0  # an outage of seconds is long enough to miss three
    try:
        rig.spec(rounds={"count": 4})
        rig.aggregator.start()
        joined = rig.join(scripts=scripted_by(gate.script, "abc"))
        with breathing(*joined.values(), every=0.1):
            gate.reached()
            own_kafka.kill()
            own_kafka.restart()
            gate.open()
            rig.completed()
        rig.assert_exact(*[{"a", "b", "c"}] * 4)
        assert rig.aggregator.wait() == [exit_codes.OK]
        assert rig.journal.of(ParticipantLost) == []
    finally:
        print(rig.aggregator.log())  # noqa: T201  pytest shows it where the test fails
        rig.close()
