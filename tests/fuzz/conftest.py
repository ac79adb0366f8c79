"""How many inputs each decoder gets."""

import pytest

QUICK = 300
LONG = 100_000
FEW = 60  # of files: PyYAML is written in Python


@pytest.fixture(scope="session")
def count(long_mode: bool) -> int:
    """A few in the quick mode, a hundred thousand with `--long`."""
    return LONG if long_mode else QUICK


@pytest.fixture(scope="session")
def few(long_mode: bool) -> int:
    """Half as many, of which there are two kinds."""
    return LONG // 2 if long_mode else FEW


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long mode takes up to ten minutes a test on a machine that does nothing else, and hours in its background."""
    if config.getoption("--long"):
        for item in items:
            if item.path.is_relative_to(__file__.removesuffix("/conftest.py")):
                item.add_marker(pytest.mark.timeout(4 * 3600))
