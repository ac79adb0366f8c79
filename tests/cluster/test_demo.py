"""The demonstration on a cluster ends when the training does, in either way; kubectl is a fake."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from .fake_programs import Programs
from .image_recipes import ROOT

DEMO = ROOT / "examples" / "hospital" / "cluster_demo.py"
GENEROUS_SECONDS = 240.0
MESSAGE = "round 3 has been tried 5 times"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs.installed(tmp_path, monkeypatch)


def demonstrated(programs: Programs, home: Path, conditions: Sequence[str]) -> subprocess.CompletedProcess[str]:
    programs.state.set("conditions", conditions)
    programs.state.set("message", MESSAGE)
    kubeconfig = home / "kubeconfig"
    kubeconfig.write_text("apiVersion: v1\nkind: Config\n")
    return subprocess.run(
        [sys.executable, DEMO], env=os.environ | {"KUBECONFIG": str(kubeconfig)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=GENEROUS_SECONDS,
    )  # fmt: skip


def test_a_training_that_fails_ends_it_with_its_message(programs: Programs, tmp_path: Path):
    shown = demonstrated(programs, tmp_path, ["Failed"])
    assert shown.returncode == 1
    assert f"The training has failed: {MESSAGE}" in shown.stderr


@pytest.mark.parametrize(("conditions", "code"), [(["Complete"], 0), ([], 1)])
def test_one_that_does_not_fail_is_complete_or_takes_too_long(
    programs: Programs, tmp_path: Path, conditions: list[str], code: int
):
    shown = demonstrated(programs, tmp_path, conditions)
    assert shown.returncode == code, shown.stderr
    assert "has failed" not in shown.stderr
