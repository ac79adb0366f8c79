"""Every status that the planner writes in its cases is stored by the real server as it was written."""

from typing import Any

import pytest
import yaml

from fedka.plan.planner import make_plan

from ..plan import test_cases as plan_cases
from ..plan.case_files import load
from .conftest import Judge

pytestmark = pytest.mark.kubernetes
PLANNED = [
    (case.name, plan.status.to_object())
    for case in plan_cases.CASES
    if (plan := make_plan(load(yaml.safe_load((case / "snapshot.yaml").read_text())))).status is not None
]


def test_most_cases_write_one():
    assert len(PLANNED) > len(plan_cases.CASES) / 2


@pytest.mark.parametrize(("case", "status"), PLANNED, ids=[name for name, _ in PLANNED])
def test_is_stored_as_it_was_written(judge: Judge, stored: dict[str, Any], case: str, status: dict[str, Any]):
    verdict = judge.write_status(stored["running"] | {"status": status})
    assert verdict.accepted, verdict.message
    assert verdict.body["status"] == status
