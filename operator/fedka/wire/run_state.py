"""The state of a run as its journal tells it: one pure reducer for everybody.

The aggregator recovers by it, the operator projects it into the resource's status, a participant learns from it what
is asked. `advance(state, record, at)` takes only records that exist by the rule of `fedka.wire.journal`; `at` is where
and when the broker put them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from fedka.wire import records as r
from fedka.wire.layout import Layout

HISTORY = 10
EVALUATIONS = 1001  # more than any patienceRounds

# What each record makes anew is a named tuple: a dataclass of so many members takes ten times as long to replace.
_NO_OFFSETS: Mapping[str, int] = MappingProxyType({})
_NO_REJECTIONS: Mapping[str, tuple[int, ...]] = MappingProxyType({})
_NO_METRICS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class At:
    """Where a record lies in the journal, and the broker's time of it (LogAppendTime) in milliseconds."""

    offset: int
    time_ms: int


class RoundPhase(StrEnum):
    """Where an open attempt stands."""

    COLLECTING = "Collecting"
    CLOSING = "Closing"


class Attempt(NamedTuple):
    """An attempt at a round that is neither closed nor missed."""

    opened: r.RoundOpened
    at: At
    phase: RoundPhase = RoundPhase.COLLECTING
    accepted: Mapping[str, int] = _NO_OFFSETS  # participant -> offset of its commit
    rejected: Mapping[str, tuple[int, ...]] = _NO_REJECTIONS
    refused: frozenset[str] = frozenset()  # finally rejected
    dropped: frozenset[str] = frozenset()
    decided: tuple[r.Taken, ...] = ()

    @property
    def deadline_ms(self) -> int:
        """Broker time after which a commit does not count."""
        return self.at.time_ms + self.opened.deadline_seconds * 1000

    @property
    def rejections(self) -> int:
        """How many commits were rejected."""
        return sum(len(offsets) for offsets in self.rejected.values())


@dataclass(frozen=True, slots=True)
class RoundSummary:
    """A round number that is behind us: closed, or missed for good."""

    round: int
    duration_ms: int
    accepted: int
    rejected: int
    metrics: Mapping[str, float]
    missed: bool = False


@dataclass(frozen=True, slots=True)
class OpenEvaluation:
    """An evaluation that was asked for and is not closed; `selected` with the offsets where answers may begin."""

    round: int
    model: r.ModelRef
    at: At
    selected: tuple[r.Selected, ...]
    quorum: int  # of answers, for a stop rule to look at the means
    deadline_seconds: int

    @property
    def deadline_ms(self) -> int:
        """Broker time at which it is closed with what has come."""
        return self.at.time_ms + self.deadline_seconds * 1000


class RunState(NamedTuple):
    """Everything that the journal says, up to and including `last`."""

    last: At | None = None
    epoch: int = 0
    seq: int = -1
    present: Mapping[str, int] = _NO_OFFSETS  # participant -> offset of its hello
    seen_until: Mapping[str, int] = _NO_OFFSETS  # participant -> control offset up to which hellos count
    layout: Layout | None = None
    layout_digest: str | None = None
    attempt: Attempt | None = None
    attempts: int = 0  # of the current round number, the open one included
    asked_for_model: tuple[str, ...] = ()  # in round 0
    round: int = 0  # the highest round number opened
    next_round: int = 0
    opened_once: bool = False
    completed: int = 0
    missed: int = 0  # skipped round numbers
    missed_in_a_row: int = 0
    model: r.ModelRef | None = None
    model_metrics: Mapping[str, float] = _NO_METRICS
    evaluation: OpenEvaluation | None = None
    evaluations: tuple[tuple[int, Mapping[str, float]], ...] = ()  # of the stop rule's past: (round, means)
    history: tuple[RoundSummary, ...] = ()
    planned: int = 0  # rounds, when the last one was opened
    suspended: bool = False
    completed_by: r.RunCompleted | None = None
    failed_by: r.RunFailed | None = None
    started_ms: int | None = None
    ended_ms: int | None = None

    @property
    def ended(self) -> bool:
        """Whether the run has completed or failed."""
        return self.completed_by is not None or self.failed_by is not None


Handler = Callable[[RunState, Any, At], RunState]


def advance(state: RunState, record: r.JournalRecord, at: At) -> RunState:
    """The state after one more existing record. Types unknown to this version change only the position."""
    state = state._replace(last=at, epoch=record.epoch, seq=record.seq)
    handler = _HANDLERS.get(type(record))
    return handler(state, record, at) if handler and not state.ended else state


def _started(state: RunState, _record: r.AggregatorStarted, at: At) -> RunState:
    first = at.time_ms if state.started_ms is None else state.started_ms
    return state._replace(started_ms=first)


def _joined(state: RunState, record: r.ParticipantJoined, _at: At) -> RunState:
    return state._replace(
        present={**state.present, record.participant: record.offset},
        seen_until=_seen(state, record.participant, record.offset),
    )


def _left(state: RunState, record: r.ParticipantLost | r.ParticipantRemoved, _at: At) -> RunState:
    return state._replace(present={k: v for k, v in state.present.items() if k != record.participant})


def _layout(state: RunState, record: r.LayoutDefined, _at: At) -> RunState:
    return state._replace(layout=record.layout, layout_digest=record.digest)


def _opened(state: RunState, record: r.RoundOpened, at: At) -> RunState:
    same = state.opened_once and record.round == state.round
    seen = {**state.seen_until, **{s.participant: max(s.since - 1, 0) for s in record.selected}}
    asked = (*state.asked_for_model, *(s.participant for s in record.selected)) if record.round == 0 else ()
    return state._replace(
        present={
            **state.present,
            **{s.participant: s.hello for s in record.selected if s.participant in state.present},
        },
        asked_for_model=asked,
        attempt=Attempt(opened=record, at=at),
        attempts=state.attempts + 1 if same else 1,
        round=record.round,
        next_round=record.round,
        opened_once=True,
        planned=record.count,
        seen_until=seen,
    )


def _current(state: RunState, record: Any) -> Attempt | None:
    attempt = state.attempt
    if attempt is None or (attempt.opened.round, attempt.opened.attempt) != (record.round, record.attempt):
        return None
    return attempt


def _accepted(state: RunState, record: r.UpdateAccepted, _at: At) -> RunState:
    if (attempt := _current(state, record)) is None:
        return state
    accepted = {**attempt.accepted, record.participant: record.offset}
    return state._replace(attempt=attempt._replace(accepted=accepted))


def _rejected(state: RunState, record: r.UpdateRejected, _at: At) -> RunState:
    if (attempt := _current(state, record)) is None:
        return state
    offsets = (*attempt.rejected.get(record.participant, ()), record.offset)
    attempt = attempt._replace(
        rejected={**attempt.rejected, record.participant: offsets},
        refused=attempt.refused | {record.participant} if record.final else attempt.refused,
    )
    return state._replace(attempt=attempt)


def _dropped(state: RunState, record: r.UpdateDropped, _at: At) -> RunState:
    if (attempt := _current(state, record)) is None:
        return state
    accepted = {k: v for k, v in attempt.accepted.items() if k != record.participant}
    return state._replace(attempt=attempt._replace(accepted=accepted, dropped=attempt.dropped | {record.participant}))


def _closing(state: RunState, record: r.RoundClosing, _at: At) -> RunState:
    if (attempt := _current(state, record)) is None:
        return state
    return state._replace(attempt=attempt._replace(phase=RoundPhase.CLOSING, decided=record.accepted))


def _summary(attempt: Attempt, record: r.RoundClosed | r.RoundMissed, at: At) -> RoundSummary:
    return RoundSummary(
        round=record.round,
        duration_ms=max(0, at.time_ms - attempt.at.time_ms),
        accepted=record.accepted,
        rejected=record.rejected,
        metrics=record.metrics if isinstance(record, r.RoundClosed) else {},
        missed=isinstance(record, r.RoundMissed),
    )


def _closed(state: RunState, record: r.RoundClosed, at: At) -> RunState:
    if (attempt := _current(state, record)) is None:
        return state
    summary = _summary(attempt, record, at)
    asked = attempt.opened
    evaluation = (
        OpenEvaluation(
            round=record.round,
            model=record.model,
            at=at,
            selected=asked.selected,
            quorum=asked.quorum,
            deadline_seconds=asked.deadline_seconds,
        )
        if record.evaluate
        else None
    )
    return state._replace(
        attempt=None,
        attempts=0,
        next_round=record.round + 1,
        completed=state.completed + (1 if record.round > 0 else 0),
        missed_in_a_row=0,
        model=record.model,
        model_metrics=record.metrics,
        evaluation=evaluation if evaluation is not None else state.evaluation,
        history=(*state.history, summary)[-HISTORY:] if record.round > 0 else state.history,
    )


def _missed(state: RunState, record: r.RoundMissed, at: At) -> RunState:
    if (attempt := _current(state, record)) is None:
        return state
    summary = _summary(attempt, record, at)
    return state._replace(
        attempt=None,
        attempts=0 if record.skipped else state.attempts,
        next_round=record.round + 1 if record.skipped else record.round,
        missed=state.missed + (1 if record.skipped else 0),
        missed_in_a_row=state.missed_in_a_row + 1,
        history=(*state.history, summary)[-HISTORY:] if record.skipped else state.history,
    )


def _evaluated(state: RunState, record: r.EvaluationClosed, _at: At) -> RunState:
    history = tuple(
        replace(past, metrics={**past.metrics, **record.metrics}) if past.round == record.round else past
        for past in state.history
    )
    current = state.model is not None and state.model.round == record.round
    still_open = state.evaluation if state.evaluation and state.evaluation.round != record.round else None
    evaluations, closed = state.evaluations, state.evaluation
    if closed is not None and closed.round == record.round and record.participants >= closed.quorum:
        evaluations = (*evaluations, (record.round, record.metrics))[-EVALUATIONS:]
    return state._replace(
        evaluation=still_open,
        evaluations=evaluations,
        model_metrics={**state.model_metrics, **record.metrics} if current else state.model_metrics,
        history=history,
    )


def _suspended(state: RunState, _record: r.RunSuspended, _at: At) -> RunState:
    return state._replace(suspended=True)


def _resumed(state: RunState, _record: r.RunResumed, _at: At) -> RunState:
    return state._replace(suspended=False)


def _completed(state: RunState, record: r.RunCompleted, at: At) -> RunState:
    return state._replace(completed_by=record, attempt=None, evaluation=None, ended_ms=at.time_ms)


def _failed(state: RunState, record: r.RunFailed, at: At) -> RunState:
    return state._replace(failed_by=record, attempt=None, evaluation=None, ended_ms=at.time_ms)


def _seen(state: RunState, participant: str, offset: int) -> Mapping[str, int]:
    return {**state.seen_until, participant: max(offset, state.seen_until.get(participant, 0))}


_HANDLERS: dict[type[r.JournalRecord], Handler] = {
    r.AggregatorStarted: _started,
    r.ParticipantJoined: _joined,
    r.ParticipantLost: _left,
    r.ParticipantRemoved: _left,
    r.LayoutDefined: _layout,
    r.RoundOpened: _opened,
    r.UpdateAccepted: _accepted,
    r.UpdateRejected: _rejected,
    r.UpdateDropped: _dropped,
    r.RoundClosing: _closing,
    r.RoundClosed: _closed,
    r.RoundMissed: _missed,
    r.EvaluationClosed: _evaluated,
    r.RunSuspended: _suspended,
    r.RunResumed: _resumed,
    r.RunCompleted: _completed,
    r.RunFailed: _failed,
}
