"""Children that the API server would not take, or not let go: asked again when the spec has changed, or after a while.

A rule that a child breaks (`Invalid`) is broken again by the same spec; only another version of a webhook or of the
operator's own configuration could help. What is forbidden (a quota, a policy, a right) may be allowed in a minute.
"""

from datetime import datetime, timedelta

from fedka.plan.parts import Failure, JobDeletion, Part, Refusal, seconds_until
from fedka.plan.snapshot import JobView, Snapshot

INVALID_RETRY = timedelta(minutes=10)
FORBIDDEN_RETRY = timedelta(seconds=30)


def refused(snapshot: Snapshot, name: str) -> Refusal | None:
    """What the API server said to this child, while there is no use in asking it again."""
    return _holding(snapshot, snapshot.refusals.get(name))


def all_refused(snapshot: Snapshot) -> tuple[Refusal, ...]:
    """All that hold now, in the order of the children's names."""
    found = (refused(snapshot, name) for name in sorted(snapshot.refusals))
    return tuple(refusal for refusal in found if refusal is not None)


def keeping(snapshot: Snapshot, job_uid: str) -> Refusal | None:
    """Why this Job may not be deleted, while there is no use in asking for that again."""
    return _holding(snapshot, snapshot.kept.get(job_uid))


def all_keeping(snapshot: Snapshot) -> tuple[Refusal, ...]:
    """The same for all Jobs that are there, in the order of their names."""
    found = (keeping(snapshot, snapshot.jobs[name].uid) for name in sorted(snapshot.jobs))
    return tuple(refusal for refusal in found if refusal is not None)


def deleted(snapshot: Snapshot, job: JobView, failure: Failure | None = None) -> Part:
    """Delete this Job, or wait until it may be asked for again."""
    if (refusal := keeping(snapshot, job.uid)) is not None:
        return Part(requeue_after=seconds_until(retry_time(refusal), snapshot.now))
    return Part(job_deletions=(JobDeletion(job.name, job.uid, failure),))


def _holding(snapshot: Snapshot, refusal: Refusal | None) -> Refusal | None:
    if refusal is None or refusal.generation != snapshot.training.metadata.generation:
        return None
    return refusal if snapshot.now < retry_time(refusal) else None


def retry_time(refusal: Refusal) -> datetime:
    """When the child is asked about again although the spec is the same."""
    return refusal.at + (INVALID_RETRY if refusal.invalid else FORBIDDEN_RETRY)
