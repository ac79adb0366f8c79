"""Figures of the status at the ends of what rounds may be."""

from dataclasses import replace

from fedka.api.fields import INT32_MAX, MAX_ROUNDS
from fedka.api.rounds import WEEK_SECONDS
from fedka.plan.progress import progress
from fedka.wire.run_state import RoundSummary

from .case_files import load


def test_what_remains_of_rounds_of_a_week_is_no_more_than_the_status_can_hold():
    snapshot = load({"now": 1, "spec": {"rounds": {"count": MAX_ROUNDS}}, "journal": ["started"]})
    week = RoundSummary(round=1, duration_ms=WEEK_SECONDS * 1000, accepted=2, rejected=0, metrics={})
    slow = snapshot.run._replace(state=snapshot.state._replace(history=(week,), completed=1))
    shown = progress(replace(snapshot, run=slow))
    assert shown is not None
    assert shown.estimated_remaining_seconds == INT32_MAX
