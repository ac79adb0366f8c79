"""`fedka runs` and `fedka remove`: the directories that runs have left in .fedka."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from fedka import exit_codes
from fedka.cli.errors import CommandFailed
from fedka.cli.interruption import REASON
from fedka.cli.paper import print_table
from fedka.local.invocation import shown
from fedka.local.kept_runs import KeptRun, kept_runs
from fedka.local.state_dir import RUNS, StateDir, Use, is_run

MEGABYTE = 10**6
BLOCK = 512  # what stat counts in


@dataclass(frozen=True, slots=True)
class Line:
    """A run as it is listed. `phase` is also Interrupted, Starting, or Unreadable."""

    run: str
    training: str
    phase: str
    rounds: str
    began: str
    megabytes: float


def list_runs(*, as_json: bool, runs: Path = RUNS) -> int:
    """Print them as a table, or as JSON; the exit code."""
    lines = [_line(run) for run in kept_runs(runs)]
    if as_json:
        json.dump({"runs": [asdict(line) for line in lines]}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif lines:
        print_table(_table(lines))
    else:
        sys.stdout.write(f"there are no runs in {runs}: fedka run FILE makes one\n")
    return exit_codes.OK


def remove_runs(
    names: Sequence[str], *, say: Callable[[str], None], keep_topics: bool = False, runs: Path = RUNS
) -> int:
    """Remove these, or none where one of the names is wrong; the exit code. `keep_topics`: those of another Kafka.

    Raises CommandFailed, and StateDirInUse for a run that somebody runs or reads.
    """
    kept = kept_runs(runs)
    for run in [_only(name, kept, runs) for name in dict.fromkeys(names)]:
        state_dir = StateDir(run.directory, Use.REMOVAL)
        try:
            topics = _remove_topics(run, keep=keep_topics)  # first: the directory is all that knows of them
            state_dir.discard()
        except OSError as error:  # a part of it is somebody else's, or it is a link
            message = f"{shown(run.directory)} was not removed, or not all of it: {error}"
            raise CommandFailed(message, exit_codes.FAILED) from error
        finally:
            state_dir.release()
        say(f"removed {shown(run.directory)}{topics}")
    return exit_codes.OK


def _remove_topics(run: KeptRun, *, keep: bool) -> str:
    """What became of the run's topics, where they are not in the directory."""
    servers = run.invocation.bootstrap_servers if run.invocation is not None else None
    if servers is None:
        return ""
    if keep or run.training is None:
        return f"; its topics stay in the Kafka at {servers}"
    from fedka.local.topic_removal import TopicsNotRemoved, remove_topics, retains_topics  # noqa: PLC0415  Kafka's client

    if retains_topics(run.training):
        return f"; its topics stay in the Kafka at {servers}, as spec.kafka.reclaimPolicy is Retain"
    try:
        count = asyncio.run(remove_topics(run.training, servers))
    except TopicsNotRemoved as error:
        message = f"{shown(run.directory)} stays: {error}. Try again when Kafka is back, or add --keep-topics"
        raise CommandFailed(message, exit_codes.FAILED) from error
    return f"; and {count} topics from the Kafka at {servers}"


def _only(name: str, kept: Iterable[KeptRun], runs: Path) -> KeptRun:
    """The run of that directory. A training's name is not enough: it may have runs that are worth keeping."""
    directories = {run.directory.name: run for run in kept}
    if name in directories:
        return directories[name]
    same = [run.directory.name for run in kept if run.name == name]
    if same:
        message = f"{name} is a training; name its runs: {' '.join(same)}"
        raise CommandFailed(message, exit_codes.USAGE)
    there = f"there are: {' '.join(directories)}" if directories else "there is none"
    raise CommandFailed(f"there is no run {name} in {runs}; {there}", exit_codes.FAILED)


def _line(run: KeptRun) -> Line:
    size = sum(_sizes(run.directory)) / MEGABYTE
    return Line(run.directory.name, run.name, _phase(run), run.rounds, run.began, round(size, 1))


def _phase(run: KeptRun) -> str:
    if run.training is None:
        return "Starting" if is_run(run.directory) else "Unreadable"
    return REASON if run.interrupted else run.phase or "Pending"


def _sizes(directory: Path) -> Iterable[int]:
    """Bytes on the disk, file by file: Kafka's indices are mostly holes. Files of a run under way may go meanwhile, and
    others may be somebody else's.
    """
    for path in directory.rglob("*"):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            yield path.lstat().st_blocks * BLOCK


def _table(lines: Sequence[Line]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for title in ("Run", "Training", "Phase", "Rounds", "Began"):
        table.add_column(title, no_wrap=True)
    table.add_column("MB", justify="right", no_wrap=True)
    for line in lines:
        style = "yellow" if line.phase in (REASON, "Unreadable", "Failed") else ""
        words = (line.run, line.training, line.phase, line.rounds, line.began, f"{line.megabytes:.1f}")
        table.add_row(*(Text(word) for word in words), style=style)
    return table
