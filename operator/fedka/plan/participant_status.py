"""What each participant is doing, and why it is not doing more: those in trouble first."""

from fedka.api.reasons import DetailReason, ParticipantState, Reason
from fedka.api.status import MAX_DETAIL, ParticipantDetail, ParticipantsStatus
from fedka.plan.names import child_name
from fedka.plan.outcome import outcome
from fedka.plan.pod_trouble import pod_trouble
from fedka.plan.refusals import refused
from fedka.plan.restarts import failure_of, last_failure
from fedka.plan.snapshot import JobView, ParticipantFacts, Role, Snapshot

MESSAGE_LIMIT = 1024

_TROUBLED = (
    ParticipantState.FAILED,
    ParticipantState.LOST,
    ParticipantState.REJECTED,
    ParticipantState.PENDING,
    ParticipantState.STARTING,
)
_Cause = tuple[ParticipantState, str | None, str | None]


def participants_status(snapshot: Snapshot) -> ParticipantsStatus:
    """Totals, and the detail of at most 100."""
    names = [participant.name for participant in snapshot.training.spec.participants]
    present = sum(name in snapshot.state.present for name in names)
    details = [_detail(snapshot, name) for name in names]
    removed = sorted(set(snapshot.state.seen_until) - set(names))
    details += [_line(snapshot, name, (ParticipantState.REMOVED, None, None)) for name in removed]
    details.sort(key=lambda detail: (_rank(detail), detail.name))
    return ParticipantsStatus(
        total=len(names), present=present, summary=f"{present}/{len(names)}", detail=tuple(details[:MAX_DETAIL])
    )


def _rank(detail: ParticipantDetail) -> int:
    return _TROUBLED.index(detail.state) if detail.state in _TROUBLED else len(_TROUBLED)


def _detail(snapshot: Snapshot, name: str) -> ParticipantDetail:
    job_name = child_name(snapshot.training, Role.PARTICIPANT, name)
    job = snapshot.jobs.get(job_name)
    if outcome(snapshot) is not None:
        cause = _after_the_end(snapshot, job, name)
    elif job is not None and (failure := failure_of(snapshot, job)) is not None:
        cause = (ParticipantState.FAILED, failure.cause, failure.message or None)
    elif job is None and (refusal := refused(snapshot, job_name)) is not None:
        reason = Reason.INVALID_SPEC if refusal.invalid else Reason.CREATION_FORBIDDEN
        cause = (ParticipantState.PENDING, reason, refusal.message)
    elif name in snapshot.state.present:
        cause = _at_work(snapshot, name)
    elif name in snapshot.state.seen_until:
        cause = _lost(snapshot, job, job_name)
    else:
        cause = _not_heard_of(snapshot, job, job_name)
    return _line(snapshot, name, cause)


def _line(snapshot: Snapshot, name: str, cause: _Cause) -> ParticipantDetail:
    facts = snapshot.run.participants.get(name, ParticipantFacts())
    state, reason, message = cause
    return ParticipantDetail(
        name=name,
        state=state,
        last_round=facts.last_round,
        rejections=facts.rejections,
        reason=reason[:128] if reason else None,
        message=message[:MESSAGE_LIMIT] if message else None,
    )


def _after_the_end(snapshot: Snapshot, job: JobView | None, name: str) -> _Cause:
    failure = failure_of(snapshot, job) if job is not None else None
    if failure is not None and job is not None and job.finished is not None and not job.finished.succeeded:
        return ParticipantState.FAILED, failure.cause, failure.message or None
    if job is not None and job.finished is None and not job.suspended:
        return ParticipantState.PRESENT, DetailReason.LEAVING, None
    return ParticipantState.DONE, *_last_rejection(snapshot, name)


def _at_work(snapshot: Snapshot, name: str) -> _Cause:
    attempt = snapshot.state.attempt
    if attempt is None or all(asked.participant != name for asked in attempt.opened.selected):
        return ParticipantState.PRESENT, *_last_rejection(snapshot, name)
    if name in attempt.accepted:
        return ParticipantState.ACCEPTED, None, None
    if name in attempt.refused:
        return ParticipantState.REJECTED, *_last_rejection(snapshot, name)
    return ParticipantState.TRAINING, *_last_rejection(snapshot, name)


def _last_rejection(snapshot: Snapshot, name: str) -> tuple[str | None, str | None]:
    """Why its last answer did not count, until a later one does, be it in another attempt at the same round."""
    facts = snapshot.run.participants.get(name, ParticipantFacts())
    return (facts.reason, facts.message or None) if facts.refused else (None, None)


def _lost(snapshot: Snapshot, job: JobView | None, job_name: str) -> _Cause:
    trouble = pod_trouble(snapshot, job) if job is not None else None
    if trouble is not None and not trouble.passing:
        return ParticipantState.LOST, trouble.reason or None, trouble.message or None
    failure = last_failure(snapshot, job_name)
    if failure is not None:
        return ParticipantState.LOST, failure.cause, failure.message or None
    said = "it said goodbye, or has been silent for three alive records"
    return ParticipantState.LOST, DetailReason.NOT_HEARD_OF, said


def _not_heard_of(snapshot: Snapshot, job: JobView | None, job_name: str) -> _Cause:
    failure = last_failure(snapshot, job_name)
    if job is None or job.suspended:
        reason, message = (failure.cause, failure.message) if failure is not None else (None, None)
        return ParticipantState.PENDING, reason, message
    if (trouble := pod_trouble(snapshot, job)) is not None:  # no image, no node, no right to a pod
        return ParticipantState.STARTING, trouble.reason or None, trouble.message or None
    if failure is not None:
        return ParticipantState.STARTING, failure.cause, f"before: {failure.message}"
    return ParticipantState.STARTING, None, None
