"""The live view of a run in a terminal: how far it is, the last rounds, the participants, and where the logs are.

Drawn from the resource's status alone, so it shows what `kubectl get -o yaml` would; the time comes from the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fedka.api.reasons import ENDS, ParticipantState, Phase
from fedka.api.status import ParticipantDetail, RoundsStatus, TrainingStatus
from fedka.api.training import FederatedTraining
from fedka.cli.causes import cause_of
from fedka.cli.interruption import REASON, interruption
from fedka.cli.round_rows import rounds_table, row_of_record

MOST_PARTICIPANTS = 12
BAR_WIDTH = 40
MESSAGE_WIDTH = 100

_PHASES = {Phase.COMPLETE: "bold green", Phase.FAILED: "bold red", Phase.RUNNING: "bold cyan"}
_STATES = {
    ParticipantState.ACCEPTED: "green",
    ParticipantState.DONE: "green",
    ParticipantState.TRAINING: "cyan",
    ParticipantState.REJECTED: "yellow",
    ParticipantState.LOST: "red",
    ParticipantState.FAILED: "red",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be drawn. `note` says what goes on before there is a status."""

    training: FederatedTraining | None
    note: str
    logs: str
    began: datetime
    now: datetime
    message_width: int = MESSAGE_WIDTH  # of what is said of one participant


def render(scene: Scene) -> RenderableType:
    """The view."""
    if scene.training is None:
        return Text.assemble((_clock(scene.now - scene.began), "dim"), f"  {scene.note}")
    status = scene.training.status or TrainingStatus()
    parts: list[RenderableType] = [_header(scene, scene.training, status)]
    rounds = status.rounds or RoundsStatus()
    parts.append(_bar(rounds, status))
    if rounds.history:
        parts.append(rounds_table([row_of_record(past) for past in rounds.history]))
    if details := _worth_showing(status):
        parts.append(_participants(details, scene.message_width))
    if scene.note:
        parts.append(Text(scene.note, style="dim"))
    parts.append(Text(f"logs: {scene.logs}", style="dim", overflow="fold"))
    return Group(*parts)


def _header(scene: Scene, training: FederatedTraining, status: TrainingStatus) -> Text:
    phase = status.phase or Phase.PENDING
    stopped = interruption(training) is not None
    text = Text.assemble(
        (training.metadata.name, "bold"),
        "  ",
        (REASON, "bold red") if stopped else (str(phase), _PHASES.get(phase, "bold yellow")),
        f"  {training.spec.strategy.type}",
        f"  {_clock(scene.now - scene.began)}",
    )
    left = status.progress.estimated_remaining_seconds if status.progress is not None else None
    if left is not None and phase is Phase.RUNNING and not stopped:
        text.append(f"  about {_clock(timedelta(seconds=left))} left")
    return text


def _bar(rounds: RoundsStatus, status: TrainingStatus) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    done = rounds.completed + rounds.missed
    text = f"{done}/{rounds.total} rounds"
    if rounds.selected:
        text += f", round {rounds.current}: {rounds.accepted} of {rounds.selected} updates"
    if status.participants is not None:
        text += f", {status.participants.present} of {status.participants.total} participants present"
    bar = ProgressBar(
        total=max(1, rounds.total), completed=done, width=BAR_WIDTH, complete_style="cyan", finished_style="green"
    )
    grid.add_row(bar, Text(text))
    return grid


def _worth_showing(status: TrainingStatus) -> Sequence[ParticipantDetail]:
    """Everybody while the run goes on; afterwards only those of whom something went wrong."""
    details = status.participants.detail if status.participants is not None else ()
    if status.phase not in ENDS:
        return details
    return [detail for detail in details if detail.message or detail.state is ParticipantState.FAILED]


def _participants(details: Sequence[ParticipantDetail], message_width: int) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for title in ("Participant", "State", "Last round"):
        table.add_column(title, no_wrap=True)
    table.add_column("Why", overflow="fold")
    for detail in details[:MOST_PARTICIPANTS]:
        last = "" if detail.last_round is None else str(detail.last_round)
        state = Text(str(detail.state), style=_STATES.get(detail.state, ""))
        table.add_row(Text(detail.name), state, last, Text(_why(detail, message_width)))
    if len(details) > MOST_PARTICIPANTS:
        table.add_row(f"and {len(details) - MOST_PARTICIPANTS} more", "", "", "")
    return table


def _why(detail: ParticipantDetail, width: int) -> str:
    message = cause_of(detail.message or "").split("\n")[0]
    if len(message) > width:
        message = f"{message[: width - 1]}…"
    return ": ".join(part for part in (detail.reason, message) if part)


def _clock(duration: timedelta) -> str:
    seconds = max(0, int(duration.total_seconds()))
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
