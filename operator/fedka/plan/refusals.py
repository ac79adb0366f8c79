"""Children that the API server would not take: asked for again when the spec has changed, or after a while.

A rule that a child breaks (`Invalid`) is broken again by the same spec; only another version of a webhook or of the
operator's own configuration could help. What is forbidden (a quota, a policy, a right) may be allowed in a minute.
"""

from datetime import datetime, timedelta

from fedka.plan.parts import Refusal
from fedka.plan.snapshot import Snapshot

INVALID_RETRY = timedelta(minutes=10)
FORBIDDEN_RETRY = timedelta(seconds=30)


def refused(snapshot: Snapshot, name: str) -> Refusal | None:
    """What the API server said to this child, while there is no use in asking it again."""
    refusal = snapshot.refusals.get(name)
    if refusal is None or refusal.generation != snapshot.training.metadata.generation:
        return None
    return refusal if snapshot.now < retry_time(refusal) else None


def all_refused(snapshot: Snapshot) -> tuple[Refusal, ...]:
    """All that hold now, in the order of the children's names."""
    found = (refused(snapshot, name) for name in sorted(snapshot.refusals))
    return tuple(refusal for refusal in found if refusal is not None)


def retry_time(refusal: Refusal) -> datetime:
    """When the child is tried again although the spec is the same."""
    return refusal.at + (INVALID_RETRY if refusal.invalid else FORBIDDEN_RETRY)
