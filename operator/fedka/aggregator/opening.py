"""The record that opens an attempt, with everything that is in force for it. Pure."""

from collections.abc import Callable, Mapping

from fedka.aggregator.boundary import Open
from fedka.aggregator.weights import scale_of
from fedka.wire.records import Hello, ModelRef, RoundOpened, Selected, Spec

FIRST_MODEL_SECONDS = 120  # then another participant is asked


def opened_record(
    step: Open,
    spec: Spec,
    *,
    asked: Mapping[str, tuple[int, Hello]],
    since: Callable[[str], int],
    base: ModelRef | None,
    nonce: str,
) -> RoundOpened:
    """`round.opened` for `step`.

    `asked` has each selected participant's last hello with its offset, `since(name)` is the control offset from which
    its commits count.
    """
    return RoundOpened(
        round=step.round,
        attempt=step.attempt,
        generation=spec.generation,
        revision=spec.revision,
        strategy=spec.strategy,
        target=step.size.target,
        quorum=step.size.quorum,
        selected=tuple(
            Selected(participant=name, since=since(name), hello=offset) for name, (offset, _) in asked.items()
        ),
        weight_scale=scale_of(spec.strategy, [hello for _, hello in asked.values()]),
        max_norm=spec.max_norm,
        base=base,
        nonce=nonce,
        skips=spec.rounds.on_quorum_miss == "Skip",
        max_model_bytes=spec.max_model_bytes,
        deadline_seconds=deadline_of(spec, step.round),
        count=spec.rounds.count,
    )


def deadline_of(spec: Spec, number: int) -> int:
    """Seconds until round `number` closes at the latest."""
    seconds = spec.rounds.deadline_seconds
    return min(seconds, FIRST_MODEL_SECONDS) if number == 0 else seconds


def asks_for_evaluation(opened: RoundOpened, spec: Spec, present: Mapping[str, tuple[int, Hello]]) -> bool:
    """Whether the model of this round is to be evaluated: it is due, and somebody who was asked can do it."""
    every = spec.evaluation.every_rounds
    due = opened.round >= spec.rounds.count or (every > 0 and opened.round % every == 0)
    able = any(s.participant in present and present[s.participant][1].evaluates for s in opened.selected)
    return opened.round > 0 and due and able
