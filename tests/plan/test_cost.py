"""What a plan costs: each piece of news of a run asks for one, so it may not grow with the square of its members."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from fedka.plan.planner import make_plan
from fedka.plan.snapshot import Snapshot, once

from .case_files import load

STAGES: Mapping[str, Mapping[str, Any]] = {
    "live": {},
    "suspended": {"spec": {"suspend": True}, "journal": ["suspended"]},
    "ended": {"journal": ["completed"]},
    "deleting": {"deleted": 8},
}


def crowd(count: int, stage: Mapping[str, Any]) -> Snapshot:
    names = [f"p{number:03}" for number in range(count)]
    case = {
        "now": 9,
        "identities": True,
        "status": {"startTime": 0},
        "spec": {"participants": [{"name": name} for name in names]} | stage.get("spec", {}),
        "journal": ["started", f"joined {' '.join(names)}", f"first model {names[0]}", *stage.get("journal", ())],
        "jobs": dict.fromkeys(["aggregator", *names], "running"),
    }
    snapshot = load(case | {key: value for key, value in stage.items() if key == "deleted"})
    users = frozenset(snapshot.topics.participant_user(name) for name in names)
    return replace(snapshot, users=users)


def calls_of(function: Callable[[], object]) -> int:
    """How many Python functions it calls: the same number on a machine that is busy."""
    count, before = 0, sys.getprofile()

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_a_plan_for_four_times_as_many_costs_about_four_times_as_much(stage: Mapping[str, Any]):
    few, many = crowd(50, stage), crowd(200, stage)
    assert calls_of(lambda: make_plan(many)) < 5 * calls_of(lambda: make_plan(few))


def test_what_is_reckoned_once_is_reckoned_anew_for_a_changed_snapshot():
    reckoned: list[int] = []

    @once
    def generation(snapshot: Snapshot) -> int:
        reckoned.append(snapshot.training.metadata.generation)
        return reckoned[-1]

    first = load({"now": 0})
    metadata = first.training.metadata.model_copy(update={"generation": 2})
    second = replace(first, training=first.training.model_copy(update={"metadata": metadata}))
    assert [generation(first), generation(first), generation(second)] == [1, 1, 2]
    assert reckoned == [1, 2]
