"""What a journal claims: every round that it closed, with all that is needed to recompute it.

The journal alone is read here, by the same rule and the same reducer as everywhere; whether its claims are true is for
`fedka.aggregator.replay` to find out.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fedka.kafka.log_record import LogRecord
from fedka.wire.journal import Verdict
from fedka.wire.layout import Layout
from fedka.wire.reading import Reading, read_on
from fedka.wire.records import JournalRecord, ModelRef, RoundClosed, RoundOpened
from fedka.wire.run_state import At, Attempt, RunState


@dataclass(frozen=True, slots=True)
class ClosedRound:
    """A round as the journal has it when it closes.

    `base` is the model before it, None for the first model; `present` were there when it was opened.
    """

    attempt: Attempt
    closed: RoundClosed
    layout: Layout
    base: ModelRef | None
    present: frozenset[str]


@dataclass(frozen=True, slots=True)
class Claims:
    """`not_understood` counts records that exist and say nothing that this version reads.

    `torn_at` is the offset from which on nothing fits the chain any more: up to there somebody wrote as one does, and
    then a record was changed, or lost. Journals of aggregators that died have such records too, but then another one
    goes on after them.
    """

    rounds: tuple[ClosedRound, ...]
    state: RunState
    not_understood: int = 0
    torn_at: int | None = None


def read_claims(records: Iterable[LogRecord]) -> Claims:
    """The claims of a journal, given from its first record on."""
    reading = Reading()
    rounds: list[ClosedRound] = []
    not_understood, torn_at = 0, None
    present: frozenset[str] = frozenset()
    for record in records:
        before = reading.state
        reading, found = read_on(reading, record.value, At(record.offset, record.time_ms))
        if found.verdict is Verdict.BROKEN and torn_at is None:
            torn_at = record.offset
        if found.verdict is not Verdict.VALID:
            continue
        torn_at = None
        if found.said is None:
            not_understood += 1
            continue
        if isinstance(found.said, RoundOpened):
            present = frozenset(before.present)
        if (closed := _closed(before, found.said, present)) is not None:
            rounds.append(closed)
    return Claims(tuple(rounds), reading.state, not_understood, torn_at)


def _closed(state: RunState, record: JournalRecord, present: frozenset[str]) -> ClosedRound | None:
    """The round that a record closes; one of another attempt than the open one closes nothing."""
    attempt = state.attempt
    if not isinstance(record, RoundClosed) or attempt is None or state.layout is None or state.ended:
        return None
    if (attempt.opened.round, attempt.opened.attempt) != (record.round, record.attempt):
        return None
    return ClosedRound(attempt, record, state.layout, state.model, present)
