"""A snapshot of one training: what the watch has told, and what is remembered of its run."""

from datetime import datetime

from fedka.plan.settings import Settings
from fedka.plan.snapshot import Snapshot
from fedka.reconcile.cache import Cache, CachedTraining
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.reach import Reach


def observe(
    cached: CachedTraining, *, cache: Cache, reach: Reach, memory: RunMemory, settings: Settings, now: datetime
) -> Snapshot:
    """All that a plan may depend on, copied: what changes later does not change it."""
    namespace, uid = cached.training.metadata.namespace, cached.training.metadata.uid
    jobs = cache.jobs(namespace, uid)
    return Snapshot(
        training=cached.training,
        settings=settings,
        now=now,
        jobs={job.name: job for job in jobs},
        pods=cache.pods(namespace, uid),
        children_known=reach.knows_children(namespace),
        conflicts=dict(memory.conflicts),
        refusals=dict(memory.refusals),
        unpatched=dict(memory.unpatched),
        kept=dict(memory.kept),
        failures=dict(memory.failures),
        topic_ids=dict(memory.topic_ids),
        ensured=dict(memory.ensured),
        bundles=dict(memory.bundles),
        network_policies=dict(memory.network_policies),
        trouble=memory.trouble,
        doubt=memory.doubt,
        followed=memory.followed is not None,
        run=memory.projection.view,
        shortfall=memory.shortfall,
        published=memory.published,
        users=None if memory.users is None else frozenset(memory.users),
        users_in_doubt=memory.users_in_doubt,
        identities_removed=memory.identities_removed,
        topics_deleted=memory.topics_deleted,
    )
