"""A fraction of a minute of `tests/pull_plugs.py`, which is run for ten by hand."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.kafka
@pytest.mark.timeout(1800)
def test_a_run_whose_processes_are_killed_comes_to_the_same_model(long_mode: bool) -> None:
    minutes = "10" if long_mode else "0.2"
    pulled = subprocess.run(
        [sys.executable, "-m", "tests.pull_plugs", "--minutes", minutes, "--seed", "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert pulled.returncode == 0, pulled.stdout + pulled.stderr
    assert "Complete with" in pulled.stdout
