"""Kafka users of a run: what each may do, and when it ceases to be.

One identity a run and participant: a password is never changed while a run lives, and who comes back under the same
name is another. Rights are those of the wire and nothing more: nobody may delete records, as that is the right to
delete topics, and nobody joins a consumer group.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from fedka.plan.names import child_name
from fedka.plan.outcome import END_GRACE, outcome
from fedka.plan.parts import NOTHING, Grant, Identity, Part, Right, seconds_until
from fedka.plan.snapshot import Role, Snapshot
from fedka.plan.stage import Stage, boundary_bound, provisioned_once, stage
from fedka.plan.topics import PROBE_PAUSE, PROBE_SECONDS, REFUSED_RETRY

READ = frozenset({Right.READ, Right.DESCRIBE})  # without Describe, reading is silent instead of refused
WRITE = frozenset({Right.WRITE, Right.DESCRIBE})


def identity(snapshot: Snapshot, role: Role, participant: str | None) -> Identity | None:
    """Who a pod is to Kafka; None where pods connect without a user."""
    if snapshot.kafka is None or not snapshot.kafka.identities:
        return None
    topics = snapshot.topics
    if role is Role.AGGREGATOR:
        own = tuple(Grant(topic, READ | WRITE) for topic in (topics.journal, topics.model, topics.state))
        updates = Grant(topics.update_prefix, READ, prefixed=True)
        return Identity(topics.aggregator_user, (*own, Grant(topics.audit, WRITE), Grant(topics.spec, READ), updates))
    if role is Role.READER or participant is None:
        return Identity(topics.reader_user, (Grant(topics.journal, READ), Grant(topics.model, READ)))
    shared = tuple(Grant(topic, READ) for topic in (topics.spec, topics.journal, topics.model))
    return Identity(topics.participant_user(participant), (Grant(topics.update(participant), WRITE), *shared))


def held_back(snapshot: Snapshot) -> bool:
    """Whether identities have to wait: Kafka is away, or has just refused something. No pod is made meanwhile."""
    trouble = snapshot.trouble
    if trouble is None or snapshot.kafka is None or not snapshot.kafka.identities:
        return False
    return not trouble.refused or snapshot.now < trouble.at + REFUSED_RETRY


def revocations(snapshot: Snapshot) -> Part:
    """Users that are to be no longer: of removed participants, and of a run that has ended."""
    if not _applies(snapshot):
        return NOTHING
    if held_back(snapshot):
        return _probe(snapshot)
    if snapshot.users is None:
        return Part(look_up_users=True)
    due = dict(_due(snapshot))
    now = tuple(sorted(user for user, at in due.items() if at <= snapshot.now))
    later = [at for at in due.values() if at > snapshot.now]
    return Part(
        revocations=now,
        bundle_removals=_forgotten_secrets(snapshot, now),
        requeue_after=seconds_until(min(later), snapshot.now) if later else None,
    )


def _forgotten_secrets(snapshot: Snapshot, users: Iterable[str]) -> tuple[str, ...]:
    """Secrets of removed participants that were made before the operator started. One that stayed would say of who
    comes back under the name that its user has been made, and give it the old password.
    """
    names = {_participant(snapshot, user) for user in users} if outcome(snapshot) is None else set()
    secrets = sorted(child_name(snapshot.training, Role.PARTICIPANT, name) for name in names)
    return tuple(secret for secret in secrets if secret not in snapshot.bundles)  # those that are known go at once


def _applies(snapshot: Snapshot) -> bool:
    now = stage(snapshot)
    if snapshot.kafka is None or not snapshot.kafka.identities or not provisioned_once(snapshot):
        return False
    return now is Stage.ENDED or (now in {Stage.LIVE, Stage.SUSPENDED, Stage.SUSPENDING} and snapshot.run_known)


def _probe(snapshot: Snapshot) -> Part:
    """Of an ended run nobody else asks whether Kafka is back."""
    trouble, pending = snapshot.trouble, snapshot.users is None or any(True for _ in _due(snapshot))
    if trouble is None or stage(snapshot) is not Stage.ENDED or not pending:
        return NOTHING
    again = trouble.at + (REFUSED_RETRY if trouble.refused else PROBE_PAUSE)
    if trouble.refused or snapshot.now < again:
        return Part(requeue_after=seconds_until(again, snapshot.now))
    return Part(look_up=(snapshot.topics.journal,), requeue_after=PROBE_SECONDS)


def _due(snapshot: Snapshot) -> Iterator[tuple[str, datetime]]:
    """Users that go, and when."""
    users, end = snapshot.users or frozenset(), outcome(snapshot)
    if end is None:
        return _of_removed(snapshot, users)
    managed = {p.name: p.managed for p in snapshot.training.spec.participants}
    return (
        (user, snapshot.now if _has_left(snapshot, user, managed) else end.at + END_GRACE)
        for user in users
        if user != snapshot.topics.reader_user
    )


def _of_removed(snapshot: Snapshot, users: frozenset[str]) -> Iterator[tuple[str, datetime]]:
    """Those whom the spec names no longer, and when they go: once no round counts on them, as the aggregator has let
    them go by then. Where it does not, as it cannot run, they go all the same when it should have.
    """
    published, attempt = snapshot.published, snapshot.state.attempt
    if published is None:
        return
    selected = {asked.participant for asked in attempt.opened.selected} if attempt is not None else set()
    named = {p.name for p in snapshot.training.spec.participants} | set(published.spec.participants)
    held = set() if stage(snapshot) is Stage.SUSPENDED else set(snapshot.state.present)
    bound = boundary_bound(snapshot, published.at)
    for user in users:
        name = _participant(snapshot, user)
        if name is not None and name not in named:
            yield user, bound if name in selected | held else snapshot.now


def _has_left(snapshot: Snapshot, user: str, managed: Mapping[str, bool]) -> bool:
    """Whether the pod has ended: until then it has to be able to read that the run has."""
    name = _participant(snapshot, user)
    if name is None:
        return _is_done(snapshot, child_name(snapshot.training, Role.AGGREGATOR))
    return managed.get(name, False) and _is_done(snapshot, child_name(snapshot.training, Role.PARTICIPANT, name))


def _is_done(snapshot: Snapshot, job_name: str) -> bool:
    job = snapshot.jobs.get(job_name)
    return job is None or job.finished is not None


def _participant(snapshot: Snapshot, user: str) -> str | None:
    prefix = snapshot.topics.participant_user("")
    return user.removeprefix(prefix) if user.startswith(prefix) else None
