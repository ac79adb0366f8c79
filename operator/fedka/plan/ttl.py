"""Deletes a training some time after its end, where the spec asks for it."""

from datetime import timedelta

from fedka.plan.outcome import outcome
from fedka.plan.parts import NOTHING, Part, seconds_until
from fedka.plan.snapshot import Snapshot
from fedka.plan.stage import Stage, stage


def ttl(snapshot: Snapshot) -> Part:
    """Delete `ttlSecondsAfterFinished` after the end that the status holds."""
    seconds, end = snapshot.training.spec.ttl_seconds_after_finished, outcome(snapshot)
    if seconds is None or end is None or stage(snapshot) is Stage.DELETING or snapshot.status.completion_time is None:
        return NOTHING
    due = snapshot.status.completion_time + timedelta(seconds=seconds)
    if snapshot.now < due:
        return Part(requeue_after=seconds_until(due, snapshot.now))
    return Part(delete_training=True)
