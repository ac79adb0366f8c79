"""How the run ended, if it has. The journal says so; only where no aggregator can speak any more does the operator.

An end is final: once the status says Complete or Failed, nothing that is read later changes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from fedka.api.conditions import ConditionStatus, find_condition
from fedka.api.reasons import ConditionType, Reason
from fedka.plan.restarts import aggregator_failure, aggregator_restarts
from fedka.plan.snapshot import Role, Shortfall, Snapshot, from_milliseconds, once
from fedka.wire.records import FailReason, StopOrder

LOSS_DELAY = timedelta(seconds=20)  # a broker that has just begun to lead may take a log's end for an earlier one
ANSWER_GRACE = timedelta(seconds=60)  # for an aggregator to write the end that it was ordered to write
END_GRACE = timedelta(seconds=60)  # for pods to read that the run has ended, and to exit by themselves

_FAILED: Mapping[FailReason, Reason] = MappingProxyType(
    {
        FailReason.QUORUM_MISSED: Reason.QUORUM_MISSED,
        FailReason.TOO_MANY_MISSED_ROUNDS: Reason.TOO_MANY_MISSED_ROUNDS,
        FailReason.JOURNAL_LOST: Reason.JOURNAL_LOST,
        FailReason.NO_FIRST_MODEL: Reason.NO_FIRST_MODEL,
        FailReason.DEADLINE_EXCEEDED: Reason.DEADLINE_EXCEEDED,
        FailReason.TOO_MANY_RESTARTS: Reason.AGGREGATOR_FAILED,
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run."""

    complete: bool
    reason: str
    message: str
    at: datetime


@once
def outcome(snapshot: Snapshot) -> Outcome | None:
    """The end of the run, or None while it lives."""
    return (
        _recorded(snapshot)
        or _journaled(snapshot)
        or journal_lost(snapshot)
        or _too_many_restarts(snapshot)
        or _unanswered_deadline(snapshot)
    )


def deadline(snapshot: Snapshot) -> datetime | None:
    """When `spec.activeDeadlineSeconds` ends the run."""
    seconds, start = snapshot.training.spec.active_deadline_seconds, snapshot.status.start_time
    return None if seconds is None or start is None else start + timedelta(seconds=seconds)


def stop_order(snapshot: Snapshot) -> StopOrder | None:
    """What the aggregator is ordered to write as the end, if it is."""
    if (end := _too_many_restarts(snapshot)) is not None:
        return StopOrder(reason=FailReason.TOO_MANY_RESTARTS, message=end.message)
    limit = deadline(snapshot)
    if limit is not None and snapshot.now >= limit:
        return StopOrder(reason=FailReason.DEADLINE_EXCEEDED, message=_deadline_message(snapshot))
    return None


def order_is_due(snapshot: Snapshot) -> bool:
    """Whether the operator has ended the run itself, and whoever still lives has not been told. What Kafka has refused
    stays unsaid.
    """
    if outcome(snapshot) is None or snapshot.state.ended or stop_order(snapshot) is None:
        return False
    told = snapshot.published is not None and snapshot.published.spec.stop is not None
    refused = snapshot.trouble is not None and snapshot.trouble.refused
    return snapshot.followed and not told and not refused


def journal_lost(snapshot: Snapshot) -> Outcome | None:
    """The journal that was once written to is gone, or another one stands in its place."""
    journal, topics = snapshot.status.journal, snapshot.topics
    if journal is None and snapshot.state.epoch == 0:
        return None
    if topics.journal in snapshot.topic_ids:
        found = snapshot.topic_ids[topics.journal]
        if found is None:
            return _lost(snapshot, f"topic {topics.journal} is gone")
        if journal is not None and found != journal.topic_id:
            return _lost(snapshot, f"topic {topics.journal} is not the one that was written to: it was made anew")
    if (cut := _cut_off(snapshot)) is not None:
        return _lost(
            snapshot,
            f"Kafka has lost the end of topic {topics.journal}: the record at offset {cut.read} had been read, and the "
            f"topic ends before offset {cut.end} (a power cut takes along what a single replica has not written to "
            "its disk)",
        )
    known = [topics.spec, topics.audit, topics.model, topics.state]
    known += [topics.update(name) for name in snapshot.state.seen_until]
    gone = [name for name in known if name in snapshot.topic_ids and snapshot.topic_ids[name] is None]
    return _lost(snapshot, f"topic {gone[0]} is gone") if gone else None


def _cut_off(snapshot: Snapshot) -> Shortfall | None:
    """The loss, once it is beyond doubt. What was accepted in lost records is unknown to the journal, but may be known
    to participants and to who has fetched a model: going on from what is left would tell two stories of one run.
    """
    shortfall = snapshot.shortfall
    if shortfall is None or snapshot.trouble is not None or snapshot.now < loss_time(shortfall):
        return None
    return shortfall if snapshot.run.offset < shortfall.read else None


def loss_time(shortfall: Shortfall) -> datetime:
    """When a journal that is short still is known to have lost its end."""
    return shortfall.at + LOSS_DELAY


def _lost(snapshot: Snapshot, cause: str) -> Outcome:
    message = f"{cause}, and a run cannot go on without its log; create a training under a new name"
    return Outcome(complete=False, reason=Reason.JOURNAL_LOST, message=message, at=snapshot.now)


def _recorded(snapshot: Snapshot) -> Outcome | None:
    conditions = snapshot.status.conditions
    at = snapshot.status.completion_time or snapshot.now
    for type_ in (ConditionType.COMPLETE, ConditionType.FAILED):
        condition = find_condition(conditions, type_)
        if condition is not None and condition.status is ConditionStatus.TRUE:
            complete = type_ is ConditionType.COMPLETE
            return Outcome(complete=complete, reason=condition.reason, message=condition.message, at=at)
    return None


def _journaled(snapshot: Snapshot) -> Outcome | None:
    """What the journal says, once all is known that is told with it: whoever waits for the end reads the model."""
    if not snapshot.run_known:
        return None
    state = snapshot.state
    at = from_milliseconds(state.ended_ms) if state.ended_ms is not None else snapshot.now
    if state.completed_by is not None:
        by_rule = state.completed_by.reason == "StopRule"
        message = state.completed_by.message or f"all {state.completed + state.missed} rounds are done"
        reason = Reason.STOP_RULE_MET if by_rule else Reason.ALL_ROUNDS_DONE
        return Outcome(complete=True, reason=reason, message=message, at=at)
    if state.failed_by is not None:
        reason = _FAILED.get(state.failed_by.reason, Reason.RUN_FAILED)
        message = state.failed_by.message
        if reason is Reason.RUN_FAILED:
            message = f"{state.failed_by.reason}: {message}"
        return Outcome(complete=False, reason=reason, message=message, at=at)
    return None


def _may_have_ended(snapshot: Snapshot) -> bool:
    """Whether the journal may hold an end, or a closed round, that has not been read: an operator that was away, or
    has just started, must not end a run that went well without it.
    """
    begun = snapshot.journal_seen or any(job.role is Role.AGGREGATOR for job in snapshot.jobs.values())
    return begun and not snapshot.run_known


def _too_many_restarts(snapshot: Snapshot) -> Outcome | None:
    if _may_have_ended(snapshot):
        return None
    limit, count = snapshot.training.spec.failure_policy.max_aggregator_restarts, aggregator_restarts(snapshot)
    if count <= limit:
        return None
    last = aggregator_failure(snapshot)
    message = (
        f"the aggregator was restarted {count} times in a row without closing a round, "
        f"spec.failurePolicy.maxAggregatorRestarts allows {limit}"
        + (f"; it said last: {last.message}" if last and last.message else "")
    )
    return Outcome(complete=False, reason=Reason.AGGREGATOR_FAILED, message=message[:1024], at=snapshot.now)


def _unanswered_deadline(snapshot: Snapshot) -> Outcome | None:
    limit = deadline(snapshot)
    if limit is None or snapshot.now < limit + ANSWER_GRACE or _may_have_ended(snapshot):
        return None
    message = _deadline_message(snapshot)
    return Outcome(complete=False, reason=Reason.DEADLINE_EXCEEDED, message=message, at=snapshot.now)


def _deadline_message(snapshot: Snapshot) -> str:
    return f"spec.activeDeadlineSeconds: {snapshot.training.spec.active_deadline_seconds} s have passed since the start"
