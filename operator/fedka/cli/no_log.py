"""Why there is no log to show, as far as the status knows: what a pod that has gone said last, or why there is none."""

from collections.abc import Iterator

from fedka.api.conditions import ConditionStatus, find_condition
from fedka.api.reasons import ConditionType
from fedka.api.status import ParticipantDetail, TrainingStatus
from fedka.api.training import FederatedTraining
from fedka.cli.source import Hints


def why_no_log(
    training: FederatedTraining, hints: Hints, *, participant: str | None, aggregator: bool, previous: bool
) -> str:
    """What to say of it; `previous`: the pods before the present ones were asked for."""
    status = training.status or TrainingStatus()
    lines = [f"{'no earlier pod is left' if previous else 'there is no pod'} to show a log of"]
    if not previous:
        lines.append(_of_training(status))
        if participant is None:
            lines.extend(_of_aggregator(status))
    details = status.participants.detail if status.participants is not None and not aggregator else ()
    lines.extend(
        _of_participant(detail)
        for detail in details
        if detail.name == participant or (participant is None and detail.message)
    )
    return "\n".join([*lines, f"(how it is: {hints.command('status')})"])


def _of_training(status: TrainingStatus) -> str:
    if status.phase is None:
        return "the training has not been seen by an operator yet"
    ready = find_condition(status.conditions, ConditionType.READY)
    return f"the training is {status.phase}{f', {ready.reason}: {ready.message}' if ready is not None else ''}"


def _of_aggregator(status: TrainingStatus) -> Iterator[str]:
    ready = find_condition(status.conditions, ConditionType.AGGREGATOR_READY)
    if ready is not None and ready.status is not ConditionStatus.TRUE:
        yield f"aggregator, in the status: {ready.reason}: {ready.message}"


def _of_participant(detail: ParticipantDetail) -> str:
    state = f"{detail.state}, {detail.reason}" if detail.reason else str(detail.state)
    return f"{detail.name}, in the status: {state}{f': {detail.message}' if detail.message else ''}"
