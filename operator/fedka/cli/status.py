"""`fedka status`: a training on one screen, drawn as `fedka run` draws its own."""

from collections.abc import Callable
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fedka.api.conditions import Condition
from fedka.api.status import TrainingStatus
from fedka.api.training import FederatedTraining
from fedka.cli.advice import amiss, next_steps
from fedka.cli.interruption import interruption
from fedka.cli.live import Scene, render
from fedka.cli.paper import paper
from fedka.cli.source import Hints, Source
from fedka.cli.summary import print_resource

MESSAGE_LIMIT = 600  # what has to be done stands at a message's end, as a rule


async def status(source: Source, *, output: str | None, clock: Callable[[], datetime]) -> None:
    """Print it; as `json` or `yaml`, the resource."""
    training = await source.training()
    if output is not None:
        print_resource(training, output)
        return
    paper().print(screen(training, source.hints, clock()))


def screen(training: FederatedTraining, hints: Hints, now: datetime) -> RenderableType:
    """The screen."""
    seen = training.status or TrainingStatus()
    began = seen.start_time or training.metadata.creation_timestamp or now
    stopped = interruption(training)
    until = seen.completion_time or (stopped.last_transition_time if stopped is not None else now)
    scene = Scene(training, "", hints.command("logs"), began, until, message_width=MESSAGE_LIMIT)
    parts: list[RenderableType] = [render(scene)]
    if conditions := amiss(training):
        parts.append(_conditions(conditions))
    if seen.model is not None:
        metrics = "".join(f"  {each.name} {float(each.value):.4g}" for each in seen.model.metrics)
        parts.append(Text(f"model: round {seen.model.round}  {seen.model.digest}{metrics}", overflow="fold"))
    parts.extend(Text(f"next: {step}", overflow="fold") for step in next_steps(training, hints))
    return Group(*parts)


def _conditions(conditions: list[Condition]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for title in ("Condition", "Status"):
        table.add_column(title, no_wrap=True)
    table.add_column("Why", overflow="fold")
    for each in conditions:
        table.add_row(Text(each.type), Text(str(each.status), style="yellow"), Text(f"{each.reason}: {each.message}"))
    return table
