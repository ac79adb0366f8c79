"""The bench of a training's start still runs; how long it takes is for whoever runs it alone."""

import subprocess
import sys

import pytest

from ..cluster.image_recipes import ROOT
from .installation import Installation

pytestmark = pytest.mark.cluster


def test_the_bench_sees_each_milestone_of_a_start(installation: Installation):
    kubeconfig = installation.cluster.api.kubeconfig
    command = [sys.executable, ROOT / "bench" / "first_round.py", "--times=1", f"--kubeconfig={kubeconfig}"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert ran.returncode == 0, ran.stderr
    milestones = ("Kafka's side made", "all pods made", "all pods running", "aggregator started", "all present")
    assert [each for each in (*milestones, "first round open: ") if each not in ran.stdout] == []
