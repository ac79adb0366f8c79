"""A participant outside of the cluster: one file with its credentials, one command, connections outwards only."""

import subprocess
import sys
from pathlib import Path

import pytest

from ..cluster.cluster import Cluster
from .conftest import Make
from .small_app import NAME, SOURCE
from .trainings import ended

pytestmark = pytest.mark.cluster
FEDKA = str(Path(sys.executable).with_name("fedka"))


def test_an_outside_hospital_joins_over_tls_and_scram(make: Make, cluster: Cluster, tmp_path: Path):
    participants = [{"name": "inside"}, {"name": "outside", "mode": "External"}]
    training = make(rounds={"count": 4}, participants=participants).create()
    training.until(lambda status: status.get("phase") == "WaitingForParticipants", "waiting for the outside")
    (tmp_path / f"{NAME}.py").write_text(SOURCE)
    training.wait_for(lambda: fetch_bundle(cluster, training, tmp_path).returncode == 0, "ready to hand out its bundle")
    assert (tmp_path / "outside.bundle").stat().st_mode & 0o077 == 0
    join = [FEDKA, "join", "--bundle", "outside.bundle", "--app", f"{NAME}:app"]
    joined = subprocess.run(join, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert joined.returncode == 0, joined.stderr
    status = training.until_complete()
    assert ended(status) == "Complete"
    assert [line["accepted"] for line in status["rounds"]["history"]] == [2, 2, 2, 2]
    assert not training.pods(participant="outside")


def fetch_bundle(cluster: Cluster, training, home: Path) -> subprocess.CompletedProcess[str]:
    command = [FEDKA, "bundle", training.name, "outside", "-n", training.namespace, "-o", "outside.bundle"]
    command += ["--kubeconfig", str(cluster.api.kubeconfig)]
    (home / "outside.bundle").unlink(missing_ok=True)
    return subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=60, check=False)
