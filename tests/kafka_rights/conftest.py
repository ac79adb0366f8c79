"""Three runs on one broker: the one that is looked at, another of that training, and one of another installation."""

import pytest

from ..cluster.secured_kafka import SecuredKafka
from .parties import Run, provision


@pytest.fixture(scope="session")
def runs(secured_kafka: SecuredKafka, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """By `own`, `other run`, `other prefix`."""
    home = tmp_path_factory.mktemp("bundles")
    uid = "0a0a0a0a-0000-4000-8000-000000000000"
    return {
        "own": provision(secured_kafka, home, uid=uid),
        "other run": provision(secured_kafka, home, uid=uid.replace("0a0a0a0a", "0a0a0a0b")),
        "other prefix": provision(secured_kafka, home, uid=uid, prefix="fedka2"),
    }


@pytest.fixture(scope="session")
def own(runs: dict[str, Run]) -> Run:
    """The run whose parties try what they may."""
    return runs["own"]
