"""A rig per test, on the shared broker."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fedka.local.kafka_server import KafkaServer

from .rig import Rig

NewRig = Callable[..., Rig]


@pytest.fixture
def new_rig(kafka: KafkaServer, tmp_path: Path) -> Iterator[NewRig]:
    """Makes a run with these participants; all of it ends with the test. The aggregator's log goes to the report."""
    rigs: list[Rig] = []

    def make(*participants: str, **settings: int) -> Rig:
        rig = Rig(kafka.bootstrap_servers, tmp_path / f"run-{len(rigs)}", participants, **settings)
        rigs.append(rig)
        return rig

    yield make
    for rig in rigs:
        print(rig.aggregator.log())  # noqa: T201  pytest shows it where a test fails
        rig.close()
