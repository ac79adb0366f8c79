"""What comes next when no attempt is open. One pure function, so that a reader can check it against `wire.md`.

A change of the spec takes effect here and nowhere else: after a round was closed or missed, or while waiting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fedka.aggregator.evaluation import stop_reason
from fedka.wire.records import FailReason, Hello, Spec
from fedka.wire.run_state import RunState
from fedka.wire.selection import RoundSize, choose, round_size

FIRST_MODEL_TRIES = 2  # how often each participant is asked for the first model


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until something happens; `why` is for people."""

    why: str


@dataclass(frozen=True, slots=True)
class Open:
    """Open the next attempt; round 0 asks for the first model."""

    round: int
    attempt: int
    size: RoundSize
    selected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suspend:
    """Write run.suspended."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Write run.resumed."""


@dataclass(frozen=True, slots=True)
class Complete:
    """Write run.completed."""

    reason: Literal["RoundsDone", "StopRule"]
    message: str


@dataclass(frozen=True, slots=True)
class Fail:
    """Write run.failed."""

    reason: FailReason
    message: str


Step = Wait | Open | Suspend | Resume | Complete | Fail


def next_step(
    state: RunState, spec: Spec | None, hellos: Mapping[str, Hello], run: str, asked: frozenset[str] = frozenset()
) -> Step:
    """The next step of a run without an open attempt; `hellos` of those present, `asked` for the first model before."""
    if spec is None:
        return Wait("no spec record yet")
    return (
        _end(state, spec)
        or _suspension(state, spec)
        or (_first_model(state, spec, hellos, run, asked) if state.model is None else _round(state, spec, hellos, run))
    )


def waits_for_evaluation(state: RunState, spec: Spec) -> bool:
    """Whether the open evaluation holds the run up: for a stop rule, or because the last round is behind us."""
    if state.evaluation is None:
        return False
    return spec.evaluation.stop is not None or state.next_round > spec.rounds.count


def _end(state: RunState, spec: Spec) -> Step | None:  # noqa: PLR0911 one return an end
    if spec.stop is not None:
        return Fail(spec.stop.reason, spec.stop.message)
    if state.missed_in_a_row and spec.rounds.on_quorum_miss == "Fail" and state.model is not None:
        return Fail(FailReason.QUORUM_MISSED, "a round missed its quorum and rounds.onQuorumMiss is Fail")
    if state.missed_in_a_row >= spec.rounds.max_missed_rounds and state.model is not None:
        fault = f"{state.missed_in_a_row} rounds in a row missed their quorum (rounds.maxMissedRounds)"
        return Fail(FailReason.TOO_MANY_MISSED_ROUNDS, fault)
    if waits_for_evaluation(state, spec):
        return Wait("participants evaluate the model")
    rule = spec.evaluation.stop
    reason = stop_reason(rule, state.evaluations) if rule else None
    if reason:
        return Complete("StopRule", reason)
    if state.model is not None and state.next_round > spec.rounds.count:
        return Complete("RoundsDone", f"{state.completed} rounds closed, {state.missed} missed")
    return None


def _suspension(state: RunState, spec: Spec) -> Step | None:
    if spec.suspend:
        return Wait("suspended") if state.suspended else Suspend()
    return Resume() if state.suspended else None


def min_available(spec: Spec) -> int:
    """rounds.minAvailable, or by default the quorum of a round with everybody."""
    if spec.rounds.min_available is not None:
        return spec.rounds.min_available
    return size_of(spec, len(spec.participants)).quorum


def size_of(spec: Spec, present: int) -> RoundSize:
    """The size of a round with so many participants to choose from."""
    rounds = spec.rounds
    return round_size(
        present=present,
        sample_size=rounds.sample_size,
        over_selection=rounds.over_selection,
        quorum=rounds.quorum,
    )


def _waiting(present: int, needed: int) -> Wait | None:
    if present < max(1, needed):
        return Wait(f"{present} of the {max(1, needed)} participants needed are present")
    return None


def _first_model(state: RunState, spec: Spec, hellos: Mapping[str, Hello], run: str, asked: frozenset[str]) -> Step:
    if waiting := _waiting(len(hellos), min_available(spec)):
        return waiting
    layouts: dict[str, list[str]] = {}
    for name, hello in hellos.items():
        layouts.setdefault(hello.layout, []).append(name)
    sharing = max(layouts.values(), key=lambda names: (len(names), min(names)))
    if len(sharing) < size_of(spec, len(hellos)).quorum:
        return Wait(f"only {len(sharing)} of {len(hellos)} participants share a model layout: a quorum must")
    if state.attempts >= FIRST_MODEL_TRIES * len(sharing):
        return Fail(FailReason.NO_FIRST_MODEL, f"{state.attempts} times a participant was asked for the first model")
    fresh = [name for name in sharing if name not in asked] or sharing
    attempt = state.attempts + 1
    newest = choose(fresh, 1, run=run, seed=spec.rounds.seed, round_number=0, attempt=attempt)
    late = [name for name in sharing if name in asked and name not in newest]  # a late answer counts as well
    return Open(0, attempt, RoundSize(target=1, selected=1 + len(late), quorum=1), tuple(sorted([*newest, *late])))


def _round(state: RunState, spec: Spec, hellos: Mapping[str, Hello], run: str) -> Step:
    fitting = [name for name, hello in hellos.items() if hello.layout == state.layout_digest]
    if waiting := _waiting(len(fitting), min_available(spec)):
        return waiting
    size = size_of(spec, len(fitting))
    number = state.next_round
    attempt = state.attempts + 1
    selected = choose(fitting, size.selected, run=run, seed=spec.rounds.seed, round_number=number, attempt=attempt)
    return Open(number, attempt, size, tuple(selected))
