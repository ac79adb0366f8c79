"""A few plugs of `tests/pull_plugs.py`, which is run for ten minutes by hand: each kind of process is killed once."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = 6


@pytest.mark.kafka
@pytest.mark.timeout(1800)
def test_a_run_whose_processes_are_killed_comes_to_the_same_model(long_mode: bool) -> None:
    minutes = "10" if long_mode else "0"
    pulled = subprocess.run(
        [sys.executable, "-m", "tests.pull_plugs", "--minutes", minutes, "--least-kills", str(KILLS), "--seed", "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert pulled.returncode == 0, pulled.stdout + pulled.stderr
    assert "Complete with" in pulled.stdout
    said = re.search(r"killed (\d+): (.+)", pulled.stdout)
    assert said, pulled.stdout
    assert int(said[1]) >= KILLS
    killed = {kind for kind, _, count in (each.rpartition(" ") for each in said[2].split(", ")) if int(count) > 0}
    assert {"broker", "run"} < killed
    assert killed & {"aggregator", "participant"}
