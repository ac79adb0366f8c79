"""`fedka watch`: a training followed to its end, shown as `fedka run` shows its own; ends with the same exit code."""

import sys
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime

from fedka import exit_codes
from fedka.api.reasons import ENDS, Phase
from fedka.api.training import FederatedTraining
from fedka.cli import summary
from fedka.cli.command_line import say
from fedka.cli.errors import CommandFailed
from fedka.cli.interruption import interruption
from fedka.cli.screen import surface
from fedka.cli.source import Source
from fedka.cli.status_story import StatusStory


async def watch(source: Source, *, quiet: bool, clock: Callable[[], datetime]) -> int:
    """Follow it until it has ended; the exit code. Raises CommandFailed if it is deleted meanwhile, or interrupted."""
    latest = await source.training()
    began = latest.status.start_time if latest.status is not None else None
    shown = surface(clock, logs=source.hints.command("logs"), quiet=quiet, began=began)
    story = StatusStory(say=shown.note, alarm=shown.alarm)
    try:
        async with aclosing(source.changes()) as changes:
            async for training in changes:
                if training is None:
                    raise CommandFailed(f"training {latest.metadata.name} has been deleted", exit_codes.FAILED)
                latest = training
                story.take(training)
                shown.draw(training)
                if has_ended(training) or interruption(training) is not None:
                    break
    finally:
        shown.close()
    return _tell(latest, source, quiet=quiet)


def has_ended(training: FederatedTraining) -> bool:
    """Whether nothing more will come of it."""
    return training.status is not None and training.status.phase in ENDS


def _tell(training: FederatedTraining, source: Source, *, quiet: bool) -> int:
    """The summary; the exit code."""
    if (stopped := interruption(training)) is not None:
        raise CommandFailed(f"{training.metadata.name}: {stopped.message}", exit_codes.RUN_FAILED)
    command = source.hints.command("model get", "-o", f"{training.metadata.name}.safetensors")
    text = summary.ending(training, model=f"in Kafka; to get it: {command}", logs=source.hints.command("logs"))
    if training.status is not None and training.status.phase is Phase.COMPLETE:
        if not quiet:
            sys.stdout.write(f"{text}\n")
        return exit_codes.OK
    say(text)
    return exit_codes.RUN_FAILED
