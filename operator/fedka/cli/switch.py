"""`fedka suspend` and `fedka resume`: spec.suspend set by a field manager of its own, nothing else touched."""

from contextlib import aclosing

from fedka import exit_codes
from fedka.api.conditions import ConditionStatus, find_condition
from fedka.api.reasons import ConditionType
from fedka.api.training import API_VERSION, KIND, FederatedTraining
from fedka.cli.command_line import say
from fedka.cli.connection import FIELD_MANAGER
from fedka.cli.errors import CommandFailed
from fedka.cli.source import Source
from fedka.cli.watch import has_ended
from fedka.reconcile.ports import Cluster


async def switch(cluster: Cluster, source: Source, *, suspend: bool, wait: bool) -> None:
    """Suspend or resume; with `wait` until it is done. Raises CommandFailed for a run that has ended."""
    training = await source.training()
    name = training.metadata.name
    if has_ended(training):
        phase = training.status.phase if training.status is not None else None
        raise CommandFailed(f"training {name} is {phase}: there is nothing to suspend or resume", exit_codes.FAILED)
    if training.spec.suspend is suspend:
        say(f"{name} is {'to be suspended' if suspend else 'not to be suspended'} already")
    else:
        await cluster.apply(_patch(training, suspend=suspend), field_manager=FIELD_MANAGER)
        say(f"{name}: {'suspends once the open round has ended' if suspend else 'resumes'}")
    if wait:
        await _until(source, suspended=suspend)
        say(f"{name} is {'suspended' if suspend else 'no longer suspended'}")


def _patch(training: FederatedTraining, *, suspend: bool) -> dict[str, object]:
    metadata = {
        "name": training.metadata.name,
        "namespace": training.metadata.namespace,
        "uid": training.metadata.uid,  # never a namesake that has taken its place
    }
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": {"suspend": suspend}}


async def _until(source: Source, *, suspended: bool) -> None:
    async with aclosing(source.changes()) as changes:
        async for training in changes:
            if training is None or has_ended(training):
                raise CommandFailed("the run has ended meanwhile", exit_codes.FAILED)
            if training.spec.suspend is not suspended:
                raise CommandFailed("somebody has set spec.suspend the other way meanwhile", exit_codes.FAILED)
            if _is_suspended(training) is suspended:
                return


def _is_suspended(training: FederatedTraining) -> bool | None:
    """What the operator says of this generation; None while it has not."""
    status = training.status
    condition = find_condition(status.conditions, ConditionType.SUSPENDED) if status is not None else None
    if condition is None or (condition.observed_generation or 0) < training.metadata.generation:
        return None
    return condition.status is ConditionStatus.TRUE
