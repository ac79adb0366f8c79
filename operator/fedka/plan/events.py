"""Events for transitions, so that `kubectl describe` tells the story of a run; none for each round."""

from collections.abc import Iterator, Mapping, Sequence

from fedka.api.conditions import find_condition
from fedka.api.reasons import ConditionType, EventReason, ParticipantState, Phase, Reason
from fedka.api.status import ParticipantDetail, TrainingStatus
from fedka.plan.parts import EventNote
from fedka.plan.pod_trouble import PASSING

FAILED, NOT_STARTING = EventReason.PARTICIPANT_FAILED, EventReason.PARTICIPANT_NOT_STARTING
MOST_PARTICIPANT_EVENTS = 5  # of one reconcile; the status names the rest

TROUBLES: Mapping[ConditionType, frozenset[str]] = {  # the reasons that are told of, by the condition
    ConditionType.KAFKA_READY: frozenset(
        {Reason.KAFKA_UNREACHABLE, Reason.KAFKA_CREDENTIALS_REFUSED, Reason.PROVISIONING_REFUSED}
    ),
    ConditionType.AGGREGATOR_READY: frozenset({Reason.AGGREGATOR_RESTARTING}),
    ConditionType.STALLED: frozenset(
        {
            Reason.INVALID_SPEC,
            Reason.UNKNOWN_KAFKA_CLUSTER,
            Reason.NAMESPACE_NOT_ALLOWED,
            Reason.TOO_MANY_PARTICIPANTS,
            Reason.NAME_CONFLICT,
            Reason.CREATION_FORBIDDEN,
            Reason.CHANGE_FORBIDDEN,
            Reason.DELETION_FORBIDDEN,
        }
    ),
}
_PHASES: Mapping[Phase, str] = {
    Phase.PROVISIONING: "the run's topics and pods are being made",
    Phase.WAITING_FOR_PARTICIPANTS: "the aggregator waits for participants",
    Phase.RUNNING: "rounds are being trained",
    Phase.SUSPENDED: "no round is open, and none will be opened",
}


def transitions(old: TrainingStatus, new: TrainingStatus) -> tuple[EventNote, ...]:
    """What changed from one status to the next, as far as somebody wants to be told."""
    return (*_phase(old, new), *_troubles(old, new), *_participants(old, new))


def hand_over_again(training: str, namespace: str, participant: str) -> EventNote:
    """What the owner of an External participant has to be told whose password may be another than before."""
    note = (
        f"External participant {participant} may have a new password, as its Secret was lost or not made to the end: "
        "Kafka then refuses the bundle that was handed over before; "
        f"hand over a new one: fedka bundle {training} {participant} -n {namespace} -o FILE"
    )
    return EventNote("Warning", EventReason.HAND_OVER_AGAIN, "Reconcile", note)


def users_made_again(users: Sequence[str]) -> EventNote:
    """Of a live run, whose pods Kafka has refused."""
    named = ", ".join(users[:MOST_PARTICIPANT_EVENTS])
    more = len(users) - MOST_PARTICIPANT_EVENTS
    note = (
        f"Kafka refused {named}{f' and {more} others' if more > 0 else ''}: made again with the same passwords and "
        "their rights, in case somebody has deleted them or Kafka has lost them; what an ACL denies stays denied"
    )
    return EventNote("Warning", EventReason.USERS_MADE_AGAIN, "Reconcile", note)


def _phase(old: TrainingStatus, new: TrainingStatus) -> Iterator[EventNote]:
    if new.phase is None or new.phase == old.phase:
        return
    if new.phase in _PHASES:
        yield EventNote("Normal", new.phase, "Reconcile", _PHASES[new.phase])
    elif new.phase is Phase.COMPLETE:
        yield EventNote("Normal", Phase.COMPLETE, "Finish", _message(new, ConditionType.COMPLETE))
    elif new.phase is Phase.FAILED:
        reason = _reason(new, ConditionType.FAILED)
        yield EventNote("Warning", reason, "Finish", _message(new, ConditionType.FAILED))


def _troubles(old: TrainingStatus, new: TrainingStatus) -> Iterator[EventNote]:
    for type_, reasons in TROUBLES.items():
        reason = _reason(new, type_)
        if reason in reasons and reason != _reason(old, type_):
            yield EventNote("Warning", reason, "Reconcile", _message(new, type_))
    away = (Reason.KAFKA_UNREACHABLE, Reason.KAFKA_CREDENTIALS_REFUSED)
    if _reason(old, ConditionType.KAFKA_READY) in away and _reason(new, ConditionType.KAFKA_READY) not in away:
        yield EventNote("Normal", EventReason.KAFKA_REACHABLE, "Reconcile", "Kafka answers again")


def _participants(old: TrainingStatus, new: TrainingStatus) -> Iterator[EventNote]:
    """Those that failed, each time, and those that do not start, unless they did so before."""
    before = {detail.name: _trouble(detail) for detail in _details(old)}
    told = {FAILED: (FAILED,), NOT_STARTING: (FAILED, NOT_STARTING)}
    fresh = [
        detail
        for detail in _details(new)
        if (trouble := _trouble(detail)) is not None and before.get(detail.name) not in told[trouble]
    ]
    for detail in fresh[:MOST_PARTICIPANT_EVENTS]:
        note = f"participant {detail.name}: {detail.reason}: {detail.message or 'its pod says nothing'}"
        yield EventNote("Warning", _trouble(detail) or "", "Reconcile", note)


def _details(status: TrainingStatus) -> tuple[ParticipantDetail, ...]:
    return status.participants.detail if status.participants is not None else ()


def _trouble(detail: ParticipantDetail) -> EventReason | None:
    """The event's reason, if there is something to tell."""
    if detail.state is ParticipantState.FAILED:
        return FAILED
    stuck = detail.state is ParticipantState.STARTING and detail.reason is not None and detail.reason not in PASSING
    return NOT_STARTING if stuck else None


def _reason(status: TrainingStatus, type_: ConditionType) -> str:
    condition = find_condition(status.conditions, type_)
    return condition.reason if condition is not None else ""


def _message(status: TrainingStatus, type_: ConditionType) -> str:
    condition = find_condition(status.conditions, type_)
    return condition.message if condition is not None else ""
