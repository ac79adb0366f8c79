"""Brokers that a test may kill, stop or starve, rigs on any broker, and directories to run `fedka run` in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fedka.local.kafka_server import KafkaServer

from ..cli.command import Directory
from ..integration.rig import Rig
from ..mess.traces import leaving_nothing

NewRig = Callable[..., Rig]


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaServer]:
    """A broker that belongs to the test alone."""
    with KafkaServer(state_dir=tmp_path / "kafka") as server:
        yield server


@pytest.fixture
def new_rig(tmp_path: Path) -> Iterator[NewRig]:
    """Makes a run with these participants on a broker; the aggregator's log goes to the report."""
    rigs: list[Rig] = []

    def make(server: KafkaServer, *participants: str, **settings: int) -> Rig:
        rigs.append(Rig(server.bootstrap_servers, tmp_path / f"run-{len(rigs)}", participants, **settings))
        return rigs[-1]

    yield make
    for rig in rigs:
        print(rig.aggregator.log())  # noqa: T201  pytest shows it where a test fails
        rig.close()


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    """Commands are run in it; none of their processes outlives the test, and none leaves a file elsewhere."""
    made = tmp_path / "directory"
    made.mkdir()
    with leaving_nothing(made) as machine:
        yield machine
