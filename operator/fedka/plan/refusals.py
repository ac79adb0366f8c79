"""Children that the API server would not take, change or let go: asked again when the spec has changed, or after a
while; and names that are somebody else's, who may have gone by then.

A rule that a child breaks (`Invalid`) is broken again by the same spec; only another version of a webhook or of the
operator's own configuration could help. What is forbidden (a quota, a policy, a right) may be allowed in a minute, and
a webhook that is away may be back.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from fedka.plan.parts import NOTHING, Failure, JobDeletion, JobPatch, NameTaken, Part, Refusal
from fedka.plan.snapshot import JobView, Snapshot

INVALID_RETRY = timedelta(minutes=10)
FORBIDDEN_RETRY = timedelta(seconds=30)
CONFLICT_RETRY = timedelta(seconds=30)


def refused(snapshot: Snapshot, name: str) -> Refusal | None:
    """What the API server said to this child, while there is no use in asking it again."""
    return _holding(snapshot, snapshot.refusals.get(name))


def unavailable(snapshot: Snapshot, name: str) -> bool:
    """Whether there is no use in making this child now: it is refused, or its name is somebody else's."""
    taken = snapshot.conflicts.get(name)
    return (taken is not None and _stands(snapshot, taken)) or refused(snapshot, name) is not None


def all_taken(snapshot: Snapshot) -> tuple[NameTaken, ...]:
    """The names that are somebody else's, as far as is known."""
    return tuple(taken for taken in snapshot.conflicts.values() if _stands(snapshot, taken))


def all_refused(snapshot: Snapshot) -> tuple[Refusal, ...]:
    """All that hold now, in the order of the children's names."""
    return _those(refused(snapshot, name) for name in sorted(snapshot.refusals))


def all_unpatched(snapshot: Snapshot) -> tuple[Refusal, ...]:
    """What was said to the changes of Jobs that are there, in the order of their names."""
    found = (snapshot.unpatched.get(job.uid) for job in _jobs(snapshot))
    return _those(_holding(snapshot, refusal) for refusal in found)


def keeping(snapshot: Snapshot, child: str) -> Refusal | None:
    """Why the Job of this UID, or the Secret of this name, may not be deleted, while there is no use in asking for that
    again.
    """
    return _holding(snapshot, snapshot.kept.get(child))


def all_keeping(snapshot: Snapshot) -> tuple[Refusal, ...]:
    """The same for all that are there: the Jobs, then the Secrets, in the order of their names."""
    secrets = {*snapshot.jobs, *snapshot.bundles}  # each Job has one of its name
    return _those(keeping(snapshot, child) for child in (*(job.uid for job in _jobs(snapshot)), *sorted(secrets)))


def patched(snapshot: Snapshot, job: JobView, *, suspend: bool, deadline_seconds: int | None) -> Part:
    """Change this Job, unless there is no use in asking for it."""
    if _holding(snapshot, snapshot.unpatched.get(job.uid)) is not None:
        return NOTHING
    return Part(job_patches=(JobPatch(job.name, job.uid, suspend, deadline_seconds),))


def deleted(snapshot: Snapshot, job: JobView, failure: Failure | None = None) -> Part:
    """Delete this Job, unless there is no use in asking for that now."""
    if keeping(snapshot, job.uid) is not None:
        return NOTHING
    return Part(job_deletions=(JobDeletion(job.name, job.uid, failure),))


def retry_times(snapshot: Snapshot) -> Iterator[datetime]:
    """When each of these is asked about again although nothing has changed."""
    for taken in all_taken(snapshot):
        yield taken.at + CONFLICT_RETRY
    for refusal in (*all_refused(snapshot), *all_unpatched(snapshot), *all_keeping(snapshot)):
        yield _retry_time(refusal)


def _jobs(snapshot: Snapshot) -> Iterable[JobView]:
    return (snapshot.jobs[name] for name in sorted(snapshot.jobs))


def _those(refusals: Iterable[Refusal | None]) -> tuple[Refusal, ...]:
    return tuple(refusal for refusal in refusals if refusal is not None)


def _stands(snapshot: Snapshot, taken: NameTaken) -> bool:
    return snapshot.now < taken.at + CONFLICT_RETRY


def _holding(snapshot: Snapshot, refusal: Refusal | None) -> Refusal | None:
    if refusal is None or refusal.generation != snapshot.training.metadata.generation:
        return None
    return refusal if snapshot.now < _retry_time(refusal) else None


def _retry_time(refusal: Refusal) -> datetime:
    return refusal.at + (INVALID_RETRY if refusal.invalid else FORBIDDEN_RETRY)
