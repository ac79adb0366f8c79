"""A directory with an app in it, for commands to be run in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .command import Directory


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    directory = Directory(tmp_path)
    yield directory
    directory.end()
