"""The benches still run, at the smallest size; what they measure is for whoever runs them alone."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALLEST = {
    "rounds.py": (["--participants=1", "--megabytes=0.01", "--rounds=3"], "N=1, 0.01 MB, last 3 of 3 rounds: median "),
    "control_plane.py": (
        ["--trainings=3", "--participants=2", "--jobs=1", "--settle=0", "--idle=1"],
        "3 trainings of 2 participants, 6 objects",
    ),
    "running.py": (["--trainings=2", "--settle=1", "--seconds=2"], "2 trainings provisioned in "),
}


@pytest.mark.kafka
@pytest.mark.kubernetes
@pytest.mark.parametrize("bench", SMALLEST)
def test_a_bench_prints_its_figures(bench: str):
    arguments, figure = SMALLEST[bench]
    ran = subprocess.run(
        [sys.executable, ROOT / "bench" / bench, *arguments], capture_output=True, text=True, check=False, timeout=240
    )
    assert ran.returncode == 0, ran.stderr
    assert figure in ran.stdout
