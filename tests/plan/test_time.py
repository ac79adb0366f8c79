"""A world in which nothing is left to do stays so until the moment that the plan has named, however time goes on."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fedka.plan.bundles import members
from fedka.plan.names import child_name
from fedka.plan.parts import NameTaken, Refusal
from fedka.plan.planner import make_plan
from fedka.plan.snapshot import Role, Snapshot, Trouble

from .case_files import load, minute
from .test_convergence import JOURNALS, settle

MOMENTS = 4  # of a run's life, one after the other
JUST_BEFORE = 0.001
FOR_EVER = 3600.0  # longer than anything of these worlds takes
LIVES = (*JOURNALS[1:4], *JOURNALS[1:])  # those that go on, twice as often
SPECS: tuple[dict[str, Any], ...] = (
    {"suspend": True},
    {"suspend": True, "activeDeadlineSeconds": 800, "failurePolicy": {"maxAggregatorRestarts": 0}},
    {"participants": [{"name": "a"}, {"name": "b", "mode": "External"}]},
    {"participants": [{"name": "b"}]},
    {"activeDeadlineSeconds": 400},
    {"ttlSecondsAfterFinished": 600, "kafka": {"reclaimPolicy": "Retain"}},
)
FATES = ("running", "running", "running", "gone", "failed", "complete", "suspended")
BEFORE = st.sampled_from([minute(4), minute(4.9), minute(5)])


@st.composite
def worlds(draw: st.DrawFn) -> Snapshot:
    """A run with all in which time has a part: what ended, what is refused, what waits for an answer."""
    fates = {member: draw(st.sampled_from(FATES)) for member in ("aggregator", "a", "b")}
    jobs = {member: {"state": fate, "endedAt": 5, "startedAt": 5} for member, fate in fates.items() if fate != "gone"}
    without = {member for member in jobs if draw(st.integers(0, 4)) == 0}
    snapshot = load(
        {
            "now": 5,
            "spec": draw(st.sampled_from(SPECS)),
            "journal": draw(st.sampled_from(LIVES)),
            "identities": draw(st.booleans()),
            "status": {"startTime": 0},
            "jobs": jobs,
            "pods": dict.fromkeys(without, "none"),
            "published": {"at": draw(st.sampled_from([0, 4, 5]))},
        }
    )
    return draw(hindered(snapshot))


@st.composite
def hindered(draw: st.DrawFn, snapshot: Snapshot) -> Snapshot:
    """The same where the API server refuses what it is asked for, names are somebody else's, or Kafka says no."""
    names = [child_name(snapshot.training, role, participant) for role, participant in members(snapshot)]
    names.append(child_name(snapshot.training, Role.PARTICIPANT))
    some = st.sets(st.sampled_from(names), max_size=2)
    refusals = {name: Refusal("no", draw(st.booleans()), 1, draw(BEFORE)) for name in sorted(draw(some))}
    conflicts = {name: NameTaken("taken", draw(BEFORE)) for name in sorted(draw(some))}
    uids = [job.uid for job in snapshot.jobs.values() if draw(st.integers(0, 2)) == 0]
    kept = {uid: Refusal("no", False, 1, draw(BEFORE)) for uid in uids}
    missing = {*refusals, *conflicts}
    return replace(
        snapshot,
        refusals=refusals,
        conflicts=conflicts,
        kept=kept,
        bundles={name: hash_ for name, hash_ in snapshot.bundles.items() if name not in missing},
        trouble=Trouble("no", draw(BEFORE), refused=True) if draw(st.integers(0, 4)) == 0 else None,
    )


@given(world=worlds())
@settings(deadline=None)
def test_nothing_becomes_due_before_the_moment_that_the_plan_has_named(world: Snapshot):
    for _ in range(MOMENTS):
        world = settle(world)
        due = make_plan(world).requeue_after
        wait = FOR_EVER if due is None else max(0.0, due - JUST_BEFORE)
        assert make_plan(after(world, wait)).is_empty(), f"unasked for within {wait} s"
        world = after(world, FOR_EVER if due is None else due)


def after(world: Snapshot, seconds: float) -> Snapshot:
    return replace(world, now=world.now + timedelta(seconds=seconds))
