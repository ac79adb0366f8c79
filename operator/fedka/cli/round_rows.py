"""Rounds that have ended as the lines of a table, whoever told of them: the status or the journal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from fedka.api.status import RoundRecord
from fedka.wire.run_state import RoundSummary

MOST_REJECTIONS = 3


@dataclass(frozen=True, slots=True)
class Rejection:
    """An update that was refused."""

    participant: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """A round that has ended; `seconds` and `rejections` are None where they are not known."""

    round: int
    seconds: float | None
    accepted: int
    rejected: int
    missed: bool
    metrics: Mapping[str, float]
    rejections: tuple[Rejection, ...] | None = None


def row_of_record(past: RoundRecord) -> Row:
    """As the status has it."""
    metrics = {metric.name: float(metric.value) for metric in past.metrics}
    seconds = None if past.duration_seconds is None else float(past.duration_seconds)
    return Row(past.round, seconds, past.accepted, past.rejected, past.missed, metrics)


def row_of_summary(past: RoundSummary) -> Row:
    """As the journal has it."""
    return Row(past.round, past.duration_ms / 1000, past.accepted, past.rejected, past.missed, dict(past.metrics))


def rounds_table(rows: Sequence[Row]) -> Table:
    """The table; missed rounds stand out."""
    names = sorted({name for row in rows for name in row.metrics})
    told = any(row.rejections for row in rows)
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("Round", justify="right", no_wrap=True, min_width=5)  # the others shrink
    for title in ("Seconds", "Accepted", "Rejected", *names):
        table.add_column(escape(title), justify="right", no_wrap=True)
    if told:
        table.add_column("Why rejected", overflow="fold")
    for row in rows:
        accepted = "missed" if row.missed else str(row.accepted)
        seconds = "" if row.seconds is None else f"{row.seconds:g}"
        figures = [f"{row.metrics[name]:.4g}" if name in row.metrics else "" for name in names]
        why = [escape(_why(row.rejections or ()))] if told else []
        style = "yellow" if row.missed else ""
        table.add_row(str(row.round), seconds, accepted, str(row.rejected), *figures, *why, style=style)
    return table


def _why(rejections: Sequence[Rejection]) -> str:
    text = ", ".join(f"{each.participant} {each.reason}" for each in rejections[:MOST_REJECTIONS])
    more = len(rejections) - MOST_REJECTIONS
    return f"{text} and {more} more" if more > 0 else text
