"""Every folder of cases: the snapshot gives exactly this plan."""

from pathlib import Path

import pytest
import yaml

from fedka.plan.planner import make_plan

from .case_files import load, render

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_the_snapshot_gives_this_plan(case: Path):
    snapshot = load(yaml.safe_load((case / "snapshot.yaml").read_text()))
    expected = yaml.safe_load((case / "plan.yaml").read_text())
    assert render(snapshot, make_plan(snapshot)) == expected
