"""When time alone makes the plan another.

A predicate on `now` that several policies share (what is refused, whether a suspension is bound to be over, whether the
deadline has passed) is nobody's to wait for, so its moment stands here. What one policy waits for alone, as a back-off,
it says itself. Whoever forgets a moment is found out by `tests/plan/test_time.py`.
"""

from collections.abc import Iterator
from datetime import datetime

from fedka.plan.outcome import ANSWER_GRACE, deadline, loss_time, outcome
from fedka.plan.parts import Part, seconds_until
from fedka.plan.pod_trouble import no_pod_time
from fedka.plan.refusals import retry_times
from fedka.plan.restarts import last_word_time
from fedka.plan.snapshot import Snapshot
from fedka.plan.stage import Stage, stage, suspend_bound


def moments(snapshot: Snapshot) -> Part:
    """Look again at the next one."""
    ahead = [at for at in _moments(snapshot) if at > snapshot.now]
    return Part(requeue_after=seconds_until(min(ahead), snapshot.now) if ahead else None)


def _moments(snapshot: Snapshot) -> Iterator[datetime]:
    yield from retry_times(snapshot)
    if outcome(snapshot) is None:
        yield from _of_a_run_that_lives(snapshot)


def _of_a_run_that_lives(snapshot: Snapshot) -> Iterator[datetime]:
    if (limit := deadline(snapshot)) is not None:
        yield from (limit, limit + ANSWER_GRACE)
    if stage(snapshot) is Stage.SUSPENDING and (bound := suspend_bound(snapshot)) is not None:
        yield bound
    if snapshot.shortfall is not None:
        yield loss_time(snapshot.shortfall)
    for job in snapshot.jobs.values():
        for due in (no_pod_time(snapshot, job), last_word_time(job)):
            if due is not None:
                yield due
