"""Where a training stands, as far as the policies must agree on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fedka.api.reasons import Reason
from fedka.api.rules import spec_problems
from fedka.plan.outcome import outcome
from fedka.plan.parts import Refusal
from fedka.plan.refusals import all_keeping, all_refused, all_taken, all_unpatched
from fedka.plan.settings import KafkaCluster
from fedka.plan.snapshot import Role, Snapshot, from_milliseconds, once

BOUNDARY_GRACE = timedelta(seconds=60)  # after the open round's deadline, for closing it


class Stage(StrEnum):
    """Which of the policies have something to do."""

    DELETING = "Deleting"
    BLOCKED = "Blocked"  # nothing can be begun before a person changes something
    ENDED = "Ended"
    SUSPENDED = "Suspended"
    SUSPENDING = "Suspending"  # asked for; the open round goes on to its end
    LIVE = "Live"


@dataclass(frozen=True, slots=True)
class Block:
    """Why the training waits for a person."""

    reason: Reason
    message: str


@once
def blocked(snapshot: Snapshot) -> Block | None:
    """Why the spec cannot be followed, if so. A run that lives goes on with what was delivered before."""
    if snapshot.kafka is None:
        name = snapshot.training.spec.kafka.cluster_name
        known = ", ".join(sorted(snapshot.settings.kafka_clusters)) or "none"
        return Block(
            Reason.UNKNOWN_KAFKA_CLUSTER,
            f"spec.kafka.clusterName: the operator knows no Kafka cluster {name!r}; it knows: {known}",
        )
    if problems := spec_problems(snapshot.training):
        return Block(Reason.INVALID_SPEC, "; ".join(str(problem) for problem in problems)[:1024])
    return _beyond_limits(snapshot, snapshot.kafka)


def _beyond_limits(snapshot: Snapshot, kafka: KafkaCluster) -> Block | None:
    """What the owner of the Kafka cluster does not allow. A run that has begun keeps its place in its namespace."""
    name, namespace = snapshot.training.spec.kafka.cluster_name, snapshot.training.metadata.namespace
    allowed = kafka.allowed_namespaces
    if allowed is not None and namespace not in allowed and not provisioned_once(snapshot):
        return Block(
            Reason.NAMESPACE_NOT_ALLOWED,
            f"spec.kafka.clusterName: Kafka cluster {name!r} is not for namespace {namespace!r}: name another, or have "
            "the namespace added to the cluster's allowedNamespaces in the operator's configuration",
        )
    count = len(snapshot.training.spec.participants)
    if count > kafka.max_participants:
        return Block(
            Reason.TOO_MANY_PARTICIPANTS,
            f"spec.participants: {count} are more than the {kafka.max_participants} that Kafka cluster {name!r} takes: "
            "remove some, or have the cluster's maxParticipants raised in the operator's configuration",
        )
    return None


@once
def stalled(snapshot: Snapshot) -> Block | None:
    """What a person must change, if anything: the spec, or what keeps one child from being made, changed or deleted,
    while others go on.
    """
    if (block := blocked(snapshot)) is not None:
        return block
    if taken := all_taken(snapshot):
        return Block(Reason.NAME_CONFLICT, "; ".join(each.sentence for each in taken)[:1024])
    if refusals := all_refused(snapshot):
        invalid = any(refusal.invalid for refusal in refusals)
        return _refusal(Reason.INVALID_SPEC if invalid else Reason.CREATION_FORBIDDEN, refusals)
    if unpatched := all_unpatched(snapshot):
        return _refusal(Reason.CHANGE_FORBIDDEN, unpatched)
    if kept := all_keeping(snapshot):
        return _refusal(Reason.DELETION_FORBIDDEN, kept)
    return None


def _refusal(reason: Reason, refusals: Iterable[Refusal]) -> Block:
    return Block(reason, "; ".join(dict.fromkeys(refusal.message for refusal in refusals))[:1024])


def provisioned_once(snapshot: Snapshot) -> bool:
    """Whether anything of the run has been made yet. Its Jobs are no evidence of that: who is kept from a Kafka may
    still make one that is labelled as if it were ours.
    """
    return bool(snapshot.journal_seen or snapshot.ensured or snapshot.status.kafka_id)


@once
def stage(snapshot: Snapshot) -> Stage:
    """The one stage that the training is in."""
    if snapshot.training.metadata.deletion_timestamp is not None:
        return Stage.DELETING
    if outcome(snapshot) is not None:
        return Stage.ENDED
    if snapshot.kafka is None or (blocked(snapshot) and not provisioned_once(snapshot)):
        return Stage.BLOCKED
    if snapshot.training.spec.suspend:
        return Stage.SUSPENDED if _at_rest(snapshot) else Stage.SUSPENDING
    return Stage.LIVE


def suspend_bound(snapshot: Snapshot) -> datetime | None:
    """When a suspended training's pods are stopped although the aggregator has not confirmed that no round is open."""
    published = snapshot.published
    return boundary_bound(snapshot, published.at) if published is not None and published.spec.suspend else None


def boundary_bound(snapshot: Snapshot, published_at: datetime) -> datetime:
    """By when an aggregator that runs has come to the boundary at which it takes up a spec record of that time: the
    open round has to end first.
    """
    attempt = snapshot.state.attempt
    if attempt is None:
        return published_at + BOUNDARY_GRACE
    opened = from_milliseconds(attempt.at.time_ms)
    return max(published_at, opened + timedelta(seconds=attempt.opened.deadline_seconds)) + BOUNDARY_GRACE


def _at_rest(snapshot: Snapshot) -> bool:
    """Whether no round is open, or nobody is there to close it."""
    if not provisioned_once(snapshot):
        return True
    if not snapshot.run_known:
        return False
    aggregator = next((job for job in snapshot.jobs.values() if job.role is Role.AGGREGATOR), None)
    gone = aggregator is None or aggregator.finished is not None or aggregator.suspended
    bound = suspend_bound(snapshot)
    late = bound is not None and snapshot.now >= bound
    return snapshot.state.suspended or snapshot.state.epoch == 0 or gone or late
