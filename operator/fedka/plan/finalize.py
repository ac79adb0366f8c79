"""The finalizer: topics and users lie outside the namespace, so something must remove them when the training goes.

It is there before the first topic is made. Cleaning up creates nothing, needs nothing of the namespace (which may be
going too), ends within a bounded time, and deletes what carries the run's id, never what merely seems unused.
"""

from datetime import datetime, timedelta

from fedka.api.learning import ReclaimPolicy
from fedka.api.reasons import EventReason
from fedka.api.training import FINALIZER
from fedka.plan.parts import NOTHING, EventNote, IdentityRemoval, Part, TopicRemoval, merge, seconds_until
from fedka.plan.refusals import all_keeping, deleted
from fedka.plan.snapshot import Snapshot
from fedka.plan.stage import Stage, provisioned_once, stage
from fedka.plan.topics import REFUSED_RETRY, wanted_topics

PODS_GRACE = timedelta(seconds=60)
RETRY_SECONDS = 5.0


def finalize(snapshot: Snapshot) -> Part:
    """Jobs first, then (their pods gone) the users, then the topics, then the finalizer."""
    deleted_at = snapshot.training.metadata.deletion_timestamp
    present = FINALIZER in snapshot.training.metadata.finalizers
    if deleted_at is None:
        starting = stage(snapshot) is Stage.LIVE or provisioned_once(snapshot)
        return Part(finalizer=True) if starting and not present else NOTHING
    if not present:
        return NOTHING
    bound = deleted_at + timedelta(seconds=snapshot.settings.cleanup_seconds)
    end = _after_children if snapshot.children_known else _after_a_while
    return end(snapshot, deleted_at, bound)


def _after_children(snapshot: Snapshot, deleted_at: datetime, bound: datetime) -> Part:
    staying = [job for job in snapshot.jobs.values() if not job.deleting]
    asked = merge(deleted(snapshot, job) for job in staying)
    if asked.job_deletions:
        return merge([asked, Part(requeue_after=RETRY_SECONDS)])
    if staying and snapshot.now < bound:  # none of them may be deleted: that may be mended yet
        return Part(requeue_after=seconds_until(bound, snapshot.now))
    if not staying and (snapshot.jobs or snapshot.pods) and snapshot.now < deleted_at + PODS_GRACE:
        return Part(requeue_after=seconds_until(deleted_at + PODS_GRACE, snapshot.now))
    end = _clean_up(snapshot, bound)
    return merge([end, Part(events=_jobs_left(snapshot))]) if end.finalizer is False else end


def _after_a_while(snapshot: Snapshot, deleted_at: datetime, bound: datetime) -> Part:
    """The rights in the namespace have gone, as a rule with the namespace, which takes Jobs and pods along; if not, the
    garbage collector does, once the training has gone.
    """
    if snapshot.now < deleted_at + PODS_GRACE:
        return Part(requeue_after=seconds_until(deleted_at + PODS_GRACE, snapshot.now))
    return _clean_up(snapshot, bound)


def _clean_up(snapshot: Snapshot, bound: datetime) -> Part:
    identities, topics = _identity_removal(snapshot), _topic_removal(snapshot)
    if snapshot.kafka is not None and identities is None and topics is None:
        return Part(finalizer=False)
    trouble = snapshot.trouble
    tried = snapshot.kafka is None or trouble is not None  # an operator that was away all that time has not, yet
    if snapshot.now >= bound and tried:
        return Part(finalizer=False, events=(_left_behind(snapshot),))
    if snapshot.kafka is None:
        return Part(requeue_after=seconds_until(bound, snapshot.now))
    if trouble is not None and trouble.refused and snapshot.now < trouble.at + REFUSED_RETRY:
        return Part(requeue_after=seconds_until(min(trouble.at + REFUSED_RETRY, bound), snapshot.now))
    return Part(identity_removal=identities, topic_removal=topics, requeue_after=RETRY_SECONDS)


def _topic_removal(snapshot: Snapshot) -> TopicRemoval | None:
    retained = snapshot.training.spec.kafka.reclaim_policy is ReclaimPolicy.RETAIN
    if retained or snapshot.topics_deleted:
        return None
    return TopicRemoval(tuple(spec.name for spec in wanted_topics(snapshot)), snapshot.topics.update_prefix)


def _identity_removal(snapshot: Snapshot) -> IdentityRemoval | None:
    """All of them, also where the topics are retained: the Secrets with the passwords go with the training."""
    if snapshot.kafka is None or not snapshot.kafka.identities or snapshot.identities_removed:
        return None
    topics = snapshot.topics
    named = tuple(topics.participant_user(p.name) for p in snapshot.training.spec.participants)
    users = (topics.aggregator_user, topics.reader_user, *named)
    return IdentityRemoval(users, topics.journal, topics.users_prefix)


def _jobs_left(snapshot: Snapshot) -> tuple[EventNote, ...]:
    causes = "; ".join(refusal.message for refusal in all_keeping(snapshot))
    if not causes:
        return ()
    bound = f"{snapshot.settings.cleanup_seconds:.0f} s"
    note = f"not all Jobs could be deleted within {bound}; those that are not collected are left: {causes}"
    return (EventNote("Warning", EventReason.CLEANUP_TIMED_OUT, "CleanUp", note),)


def _left_behind(snapshot: Snapshot) -> EventNote:
    cause = snapshot.trouble.message if snapshot.trouble is not None else "the Kafka cluster is not configured any more"
    bound = f"{snapshot.settings.cleanup_seconds:.0f} s"
    note = (
        f"the topics and users of run {snapshot.run_id} could not be deleted within {bound} and are left in Kafka "
        f"cluster {snapshot.training.spec.kafka.cluster_name}: {cause}; delete what carries the run's id"
    )
    return EventNote("Warning", EventReason.CLEANUP_TIMED_OUT, "CleanUp", note)
