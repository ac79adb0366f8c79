"""Operators on a real API server, each test in a namespace of its own."""

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cluster.api_server import ApiServer
from .operators import Operators


@pytest.fixture
def operators(api_server: ApiServer, tmp_path: Path) -> Iterator[Operators]:
    namespace = api_server.create_namespace(f"operators-{uuid.uuid4().hex[:12]}")
    operators = Operators(api_server, namespace, tmp_path)
    yield operators
    operators.stop()
    for each in operators.processes:  # shown where the test fails
        sys.stdout.write(each.log.read_text())
