"""What is wrong with a spec that neither schema nor CEL can say: it needs arithmetic on numbers or percentages.

`fedka validate` prints these; the operator sets the condition Stalled, reason InvalidSpec.
"""

from fedka.api.errors import FieldError
from fedka.api.training import FederatedTraining
from fedka.wire.selection import resolve


def spec_problems(training: FederatedTraining) -> list[FieldError]:
    """Rules on the sizes of a round, resolved with every participant of the spec present; empty if all is well."""
    rounds = training.spec.rounds
    everybody = len(training.spec.participants)
    wanted = resolve(rounds.sample_size, everybody)
    target = min(wanted, everybody)
    quorum = resolve(rounds.quorum, wanted)
    if quorum <= target:
        return []
    if quorum <= wanted:
        problem = (
            f"asks for {wanted} participants, and the training has {everybody}: the quorum of {quorum} is never met"
        )
        return [FieldError("spec.rounds.sampleSize", problem, f"lower it to {everybody} or add participants")]
    asked = f"{target} of {everybody} participants" if target < everybody else f"{everybody} participants"
    problem = f"is {quorum} updates, but a round asks for {asked} only (sampleSize {rounds.sample_size})"
    return [FieldError("spec.rounds.quorum", problem, f"lower it to at most {target}, or raise sampleSize")]
