"""A machine to run commands on, of which everything that they leave can be told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .traces import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    for running in machine.started:
        if running.process.poll() is None:
            running.process.kill()
        running.wait()
