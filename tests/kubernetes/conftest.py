"""Operators on a real API server, each test in a namespace of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cluster.api_server import ApiServer, api_server_with_crds
from .operators import Operators


@pytest.fixture
def operators(api_server: ApiServer, tmp_path: Path) -> Iterator[Operators]:
    yield from _operators(api_server, tmp_path)


@pytest.fixture(scope="session")
def api_server_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """For operators of all namespaces, and for being killed: elsewhere lie thousands of other tests' trainings."""
    with api_server_with_crds(tmp_path_factory.mktemp("own-api")) as server:
        yield server


@pytest.fixture
def lone_operators(api_server_of_its_own: ApiServer, tmp_path: Path) -> Iterator[Operators]:
    yield from _operators(api_server_of_its_own, tmp_path)


def _operators(server: ApiServer, home: Path) -> Iterator[Operators]:
    namespace = server.fresh_namespace("operators")
    operators = Operators(server, namespace, home)
    yield operators
    operators.stop()
    for each in operators.processes:  # shown where the test fails
        sys.stdout.write(each.log.read_text())
