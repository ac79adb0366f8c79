"""How many rounds `fedka replay` can check is what `kafka.retention` says, on a broker that frees what it may.

A model of 8 MB and its updates fill a segment in two rounds, so that a short run is longer than what Bounded keeps.
"""

import json
from typing import Any

import pytest

from fedka import exit_codes
from fedka.kafka.access import client_settings
from fedka.kafka.log_view import LogView
from fedka.local.kafka_server import KafkaServer
from fedka.wire.bundle import KafkaAccess
from fedka.wire.names import BULK_PARTITION

from ..integration.followed_journal import eventually
from .command import Directory
from .trainings import APP, training

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(900)]
COORDINATES = 2_000_000
ROUNDS = 8  # 72 MB of updates; three of them and a segment of 16 MiB are kept, so the oldest segment goes
LARGE = APP.replace("np.zeros(1000, np.float32)", f"np.zeros({COORDINATES}, np.float32)")


def trained(directory: Directory, kafka: KafkaServer, retention: str) -> None:
    """A whole run, in a state directory of that name."""
    file = directory.write(
        training(
            rounds={"count": ROUNDS},
            participants=[{"name": "bank"}],
            evaluation={"everyRounds": 0},
            kafka={"retention": retention},
        )
    )
    run = directory.fedka("run", file, "--state-dir", retention, "--bootstrap-servers", kafka.bootstrap_servers)
    assert run.process.returncode == exit_codes.OK, run.stderr


def until_freed(directory: Directory, kafka: KafkaServer, state: str) -> None:
    saved = json.loads((directory.path / state / "training.json").read_text())
    updates = saved["status"]["model"]["topic"].replace("fedka.model.", "fedka.update.") + ".bank"
    view = LogView(client_settings(KafkaAccess(bootstrap_servers=kafka.bootstrap_servers)))
    eventually(lambda: view.watermarks(updates, BULK_PARTITION)[0] > 0, "the end of the oldest segment")
    view.close()


def replayed(directory: Directory, state: str) -> list[dict[str, Any]]:
    """What is said of each round."""
    done = directory.fedka("replay", "tiny", "--state-dir", state, "-o", "json")
    assert done.process.returncode == exit_codes.OK, done.stderr
    rounds: list[dict[str, Any]] = json.loads(done.stdout)["rounds"]
    return rounds


def test_bounded_retention_loses_the_oldest_rounds_and_audit_none(directory: Directory, kafka: KafkaServer) -> None:
    """Once the broker has freed something of the later run, it has looked through the earlier one, too."""
    directory.app(LARGE)
    for retention in ("Audit", "Bounded"):
        trained(directory, kafka, retention)
    until_freed(directory, kafka, "Bounded")
    assert [each["outcome"] for each in replayed(directory, "Audit")] == ["Matches"] * (ROUNDS + 1)
    bounded = replayed(directory, "Bounded")
    outcomes = [each["outcome"] for each in bounded]
    lost = outcomes.count("NotCheckable")
    assert 0 < lost < ROUNDS
    assert outcomes == ["NotCheckable"] * lost + ["Matches"] * (ROUNDS + 1 - lost)
    assert "no longer in the log" in bounded[0]["reason"]
