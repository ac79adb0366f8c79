"""What the shell offers while a command is typed: names of runs on this machine, and of their participants.

Called at every press of the tab key, so it loads no more than it takes to read a directory; a cluster is not asked.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from fedka.local.kept_runs import KeptRun, kept_run, kept_runs


def names(context: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Trainings that have run here, then single runs by their directories."""
    runs = _runs(context)
    for name in dict.fromkeys(run.name for run in runs):
        if name.startswith(incomplete):
            newest = next(run for run in runs if run.name == name)
            yield name, _how(newest)
    yield from _directories(runs, incomplete)


def run_names(incomplete: str) -> Iterator[tuple[str, str]]:
    """Single runs by their directories."""
    yield from _directories(kept_runs(), incomplete)


def participants(context: typer.Context, incomplete: str) -> Iterator[str]:
    """Of the training that stands before."""
    wanted = context.params.get("name")
    run = next((run for run in _runs(context) if wanted in (run.name, run.directory.name)), None)
    yield from (name for name in (run.participants if run is not None else ()) if name.startswith(incomplete))


def _runs(context: typer.Context) -> list[KeptRun]:
    given: Any = context.params.get("state_dir")
    if given is None:
        return kept_runs()
    run = kept_run(Path(given))
    return [] if run is None else [run]


def _directories(runs: list[KeptRun], incomplete: str) -> Iterator[tuple[str, str]]:
    for run in runs:
        if run.directory.name.startswith(incomplete) and run.directory.name != run.name:
            yield run.directory.name, _how(run)


def _how(run: KeptRun) -> str:
    return " ".join(word for word in ("Interrupted" if run.interrupted else run.phase, run.rounds) if word)
