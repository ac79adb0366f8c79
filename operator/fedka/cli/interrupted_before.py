"""What `fedka run` says before it begins anew where the last run of the same file was interrupted."""

from pathlib import Path

from fedka.local.invocation import STDIN, Invocation, shown
from fedka.local.kept_runs import kept_runs
from fedka.local.state_dir import RUNS


def interrupted_before(invocation: Invocation, runs: Path = RUNS) -> str:
    """How to go on with the last run of the file in `runs`; empty where that has ended, is under way, or is none."""
    if invocation.file == STDIN:
        return ""
    same = (run for run in kept_runs(runs) if run.invocation is not None and run.invocation.file == invocation.file)
    last = next(same, None)
    if last is None or last.invocation is None or not last.interrupted:
        return ""
    done = f" after {last.rounds} rounds" if last.rounds else ""
    return (
        f"an interrupted run of {last.name} lies in {shown(last.directory)}{done}, and this is a new one; "
        f"to go on with that one: {last.invocation.command(last.directory)}"
    )
