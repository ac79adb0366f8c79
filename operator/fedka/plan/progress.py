"""Rounds, model and progress as the status shows them: the journal's figures as decimal strings."""

import re
from collections.abc import Mapping
from datetime import timedelta

from fedka.api.fields import INT32_MAX
from fedka.api.status import MAX_METRICS, MetricValue, ModelStatus, Progress, RoundRecord, RoundsStatus
from fedka.plan.snapshot import Snapshot, from_milliseconds
from fedka.wire.run_state import RoundSummary, RunState

_METRIC_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")  # a name that the resource cannot hold is not shown


def rounds_status(snapshot: Snapshot) -> RoundsStatus:
    """How far the rounds are. `total` is what the spec asks for; at the end, what was in force."""
    state, total = snapshot.state, total_rounds(snapshot)
    attempt = state.attempt
    opened = from_milliseconds(attempt.at.time_ms) if attempt is not None else None
    deadline = opened + timedelta(seconds=attempt.opened.deadline_seconds) if attempt and opened else None
    return RoundsStatus(
        current=state.round,
        completed=state.completed,
        missed=state.missed,
        total=total,
        summary=f"{state.completed}/{total}",
        open_time=opened,
        deadline_time=deadline,
        selected=len(attempt.opened.selected) if attempt else 0,
        accepted=len(attempt.accepted) if attempt else 0,
        rejected=attempt.rejections if attempt else 0,
        history=tuple(_record(past) for past in state.history),
    )


def model_status(snapshot: Snapshot) -> ModelStatus | None:
    """The newest global model and where it lies."""
    state = snapshot.state
    if state.model is None:
        return None
    return ModelStatus(
        round=state.model.round,
        digest=f"blake3:{state.model.pointer.digest}",
        topic=snapshot.topics.model,
        metrics=metric_values(state.model_metrics),
    )


def progress(snapshot: Snapshot) -> Progress | None:
    """Depends on ended rounds only, so it changes when one closes and at no other time."""
    state, total = snapshot.state, total_rounds(snapshot)
    done = state.completed + state.missed
    if not state.history:
        return None
    remaining = 0 if state.ended else max(0, total - done)
    pace = sum(past.duration_ms for past in state.history) / len(state.history) / 1000
    seconds = min(INT32_MAX, round(remaining * pace))  # 100,000 rounds of a week each are more than that
    return Progress(percentage=min(100, done * 100 // total), estimated_remaining_seconds=seconds)


def total_rounds(snapshot: Snapshot) -> int:
    """Rounds asked for."""
    state: RunState = snapshot.state
    return state.planned if state.ended and state.planned else snapshot.training.spec.rounds.count


def metric_values(metrics: Mapping[str, float]) -> tuple[MetricValue, ...]:
    """The metrics that the resource can hold, sorted by name."""
    names = sorted(name for name in metrics if _METRIC_NAME.fullmatch(name))
    return tuple(MetricValue(name=name, value=decimal(metrics[name])) for name in names[:MAX_METRICS])


def decimal(value: float) -> str:
    """Six significant digits, as a string: the resource holds no floats."""
    return f"{value:.6g}"


def _record(past: RoundSummary) -> RoundRecord:
    return RoundRecord(
        round=past.round,
        missed=past.missed,
        duration_seconds=decimal(past.duration_ms / 1000),
        accepted=past.accepted,
        rejected=past.rejected,
        metrics=metric_values(past.metrics),
    )
