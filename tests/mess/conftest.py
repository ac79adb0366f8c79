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


@pytest.fixture
def beside(machine: Machine, tmp_path: Path) -> Iterator[Machine]:
    """The same machine, for what runs at the same time and is to be told apart."""
    beside = Machine(tmp_path)
    yield beside
    beside.end()
