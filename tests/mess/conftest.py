"""A machine to run commands on, of which everything that they leave can be told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .traces import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.end()
