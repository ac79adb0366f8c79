"""What is not as it should be with a training, and what its owner can do next: read off the resource alone."""

from collections.abc import Sequence

from fedka.api.conditions import Condition, ConditionStatus, find_condition
from fedka.api.reasons import ENDS, ConditionType, ParticipantState, Phase, Reason
from fedka.api.status import ParticipantDetail, TrainingStatus
from fedka.api.training import FederatedTraining
from fedka.cli.interruption import interruption
from fedka.cli.source import Hints

_SHOULD_HOLD = frozenset({ConditionType.READY, ConditionType.KAFKA_READY})
_SHOULD_HOLD_AT_WORK = _SHOULD_HOLD | {ConditionType.AGGREGATOR_READY, ConditionType.QUORUM_AVAILABLE}
_SHOULD_NOT_HOLD = frozenset({ConditionType.RECONCILING, ConditionType.STALLED, ConditionType.FAILED})
_AT_REST = (*ENDS, Phase.SUSPENDED)
_OF_UPDATES = (Reason.QUORUM_MISSED, Reason.TOO_MANY_MISSED_ROUNDS)
_NOT_STARTING = (ParticipantState.FAILED, ParticipantState.PENDING, ParticipantState.STARTING)


def amiss(training: FederatedTraining) -> list[Condition]:
    """The conditions that are not as they should be in this phase."""
    status = training.status or TrainingStatus()
    wanted = _SHOULD_HOLD if status.phase in _AT_REST else _SHOULD_HOLD_AT_WORK
    return [
        condition
        for condition in status.conditions
        if (condition.type in wanted and condition.status is not ConditionStatus.TRUE)
        or (condition.type in _SHOULD_NOT_HOLD and condition.status is ConditionStatus.TRUE)
    ]


def next_steps(training: FederatedTraining, hints: Hints) -> list[str]:
    """What to do now, the most urgent first; each is a sentence, or a command behind one."""
    status = training.status
    if interruption(training) is not None:
        return [f"go on where it was: {hints.command('resume')}"]
    if status is None or status.phase is None:
        return ["no operator has seen it yet: check that Fedka's operator runs and watches this namespace"]
    if status.phase in ENDS:  # one that has failed is Stalled too, and mending would not bring it back
        return _OF_PHASE[status.phase](training, status, hints)
    if _is(status, ConditionType.STALLED, ConditionStatus.TRUE):
        return ["nothing will happen until the cause above is mended"]
    return _OF_PHASE[status.phase](training, status, hints)


def _complete(training: FederatedTraining, _status: TrainingStatus, hints: Hints) -> list[str]:
    return [f"get the model: {hints.command('model get', '-o', f'{training.metadata.name}.safetensors')}"]


def _is(status: TrainingStatus, type_: ConditionType, value: ConditionStatus) -> bool:
    condition = find_condition(status.conditions, type_)
    return condition is not None and condition.status is value


def _failed(_training: FederatedTraining, status: TrainingStatus, hints: Hints) -> list[str]:
    failed = find_condition(status.conditions, ConditionType.FAILED)
    if failed is not None and failed.reason in _OF_UPDATES:
        why = f"see which updates did not count: {hints.command('rounds')}"
    else:
        why = f"see what the aggregator said: {hints.command('logs', '--aggregator')}"
    return [
        why,
        "mend the cause, then delete the training and apply it again, which begins a new run",
    ]


def _suspended(_training: FederatedTraining, _status: TrainingStatus, hints: Hints) -> list[str]:
    return [f"go on: {hints.command('resume')}"]


def _running(_training: FederatedTraining, _status: TrainingStatus, hints: Hints) -> list[str]:
    return [f"follow it: {hints.command('watch')}"]


def _waiting(training: FederatedTraining, status: TrainingStatus, hints: Hints) -> list[str]:
    if _is(status, ConditionType.KAFKA_READY, ConditionStatus.FALSE):
        return ["pods wait for Kafka: see KafkaReady above"]
    details = status.participants.detail if status.participants is not None else ()
    outside = {each.name for each in training.spec.participants if not each.managed}
    steps = []
    if absent := [each.name for each in details if each.name in outside and _absent(each)]:
        command = hints.command("bundle", absent[0], "-o", f"{absent[0]}.json")
        steps.append(f"not run by Fedka: {_named(absent)}; give its owner the bundle, if that is not done: {command}")
    failing = [each.name for each in details if each.name not in outside and each.state in _NOT_STARTING]
    if failing:
        have = "has" if len(failing) == 1 else "have"
        steps.append(f"{_named(failing)} {have} not started; see why: {hints.command('logs', failing[0])}")
    return steps or _running(training, status, hints)


def _absent(detail: ParticipantDetail) -> bool:
    return detail.state in (*_NOT_STARTING, ParticipantState.LOST)


def _named(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


_OF_PHASE = {
    Phase.PENDING: _waiting,
    Phase.PROVISIONING: _waiting,
    Phase.WAITING_FOR_PARTICIPANTS: _waiting,
    Phase.RUNNING: _running,
    Phase.SUSPENDED: _suspended,
    Phase.COMPLETE: _complete,
    Phase.FAILED: _failed,
}
