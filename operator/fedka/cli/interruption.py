"""A run on this machine that nobody runs any more, though it has not ended: told by a condition, as all trouble is.

Nothing writes a resource once its run has been killed, so it goes on to say what was true then. Whoever reads it finds
the lock of its directory free, and puts this into the resource.
"""

from datetime import datetime

from fedka.api.conditions import Condition, ConditionStatus, find_condition, observe_condition
from fedka.api.reasons import ConditionType
from fedka.api.status import TrainingStatus
from fedka.api.training import FederatedTraining

REASON = "Interrupted"


def interrupted(training: FederatedTraining, *, at: datetime, again: str) -> FederatedTraining:
    """The training with the condition; `at` is when it was last written, `again` the command that takes it up."""
    status = training.status or TrainingStatus()
    told = observe_condition(
        status.conditions,
        ConditionType.READY,
        status=False,
        reason=REASON,
        message=f"nobody runs it: its process ended before the run had. Nothing is lost; to go on: {again}",
        generation=training.metadata.generation,
        now=at,
    )
    return training.model_copy(update={"status": status.model_copy(update={"conditions": told})})


def interruption(training: FederatedTraining) -> Condition | None:
    """The condition, where the run was interrupted."""
    status = training.status or TrainingStatus()
    ready = find_condition(status.conditions, ConditionType.READY)
    if ready is None or ready.status is not ConditionStatus.FALSE or ready.reason != REASON:
        return None
    return ready
