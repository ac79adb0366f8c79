"""The finalizer: topics lie outside the namespace, so something must remove them when the training goes.

It is there before the first topic is made. Cleaning up creates nothing, needs nothing of the namespace (which may be
going too), ends within a bounded time, and deletes what carries the run's id, never what merely seems unused.
"""

from datetime import datetime, timedelta

from fedka.api.learning import ReclaimPolicy
from fedka.api.training import FINALIZER
from fedka.plan.parts import EventNote, JobDeletion, Part, TopicRemoval, seconds_until
from fedka.plan.snapshot import Snapshot
from fedka.plan.stage import Stage, provisioned_once, stage
from fedka.plan.topics import wanted_topics

PODS_GRACE = timedelta(seconds=60)
CLEANUP_TIMEOUT = timedelta(seconds=600)
RETRY_SECONDS = 5.0


def finalize(snapshot: Snapshot) -> Part:
    """Jobs first, then (their pods gone) the topics, then the finalizer."""
    deleted_at = snapshot.training.metadata.deletion_timestamp
    present = FINALIZER in snapshot.training.metadata.finalizers
    if deleted_at is None:
        starting = stage(snapshot) is Stage.LIVE or provisioned_once(snapshot)
        return Part(finalizer=True) if starting and not present else Part()
    if not present:
        return Part()
    jobs = [job for job in snapshot.jobs.values() if not job.deleting]
    if jobs:
        return Part(job_deletions=tuple(JobDeletion(job.name, job.uid) for job in jobs), requeue_after=RETRY_SECONDS)
    if (snapshot.jobs or snapshot.pods) and snapshot.now < deleted_at + PODS_GRACE:
        return Part(requeue_after=seconds_until(deleted_at + PODS_GRACE, snapshot.now))
    return _topics(snapshot, deleted_at)


def _topics(snapshot: Snapshot, deleted_at: datetime) -> Part:
    retained = snapshot.training.spec.kafka.reclaim_policy is ReclaimPolicy.RETAIN
    if retained or snapshot.topics_deleted:
        return Part(finalizer=False)
    if snapshot.now >= deleted_at + CLEANUP_TIMEOUT:
        return Part(finalizer=False, events=(_left_behind(snapshot),))
    if snapshot.kafka is None:
        return Part(requeue_after=seconds_until(deleted_at + CLEANUP_TIMEOUT, snapshot.now))
    names = tuple(spec.name for spec in wanted_topics(snapshot))
    return Part(topic_removal=TopicRemoval(names, snapshot.topics.update_prefix), requeue_after=RETRY_SECONDS)


def _left_behind(snapshot: Snapshot) -> EventNote:
    cause = snapshot.trouble.message if snapshot.trouble is not None else "the Kafka cluster is not configured any more"
    note = (
        f"the topics of run {snapshot.run_id} could not be deleted within {CLEANUP_TIMEOUT.seconds} s and are left in "
        f"Kafka cluster {snapshot.training.spec.kafka.cluster_name}: {cause}; delete what carries the run's id"
    )
    return EventNote("Warning", "CleanupTimedOut", "CleanUp", note[:1024])
