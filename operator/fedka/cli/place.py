"""Which training a name means: a run on this machine, or one in a cluster."""

from dataclasses import dataclass
from pathlib import Path

from fedka import exit_codes
from fedka.cli.errors import CommandFailed
from fedka.cli.names_known import did_you_mean, there_are
from fedka.cli.source import NoSuchTraining
from fedka.local.invocation import shown
from fedka.local.kept_runs import KeptRun, kept_run, kept_runs
from fedka.local.state_dir import RUNS


@dataclass(frozen=True, slots=True)
class Found:
    """A run on this machine. `note` says which, where the user has not named it."""

    directory: Path
    named: bool
    note: str = ""


def find_run(name: str, *, state_dir: Path | None, in_cluster: bool, runs: Path = RUNS) -> Found | None:
    """The run that is meant; None where it is to be looked for in a cluster.

    `state_dir` names its directory, `in_cluster` says that a cluster was named. Without either, it is the directory of
    that name in `runs`, or the newest run of the training there. Raises NoSuchTraining or CommandFailed.
    """
    if state_dir is not None:
        if in_cluster:
            message = "--state-dir names a run on this machine; leave -n, --context and --kubeconfig out, or it"
            raise CommandFailed(message, exit_codes.USAGE)
        return _named(name, state_dir)
    if in_cluster:
        return None
    kept = kept_runs(runs)
    for run in kept:
        if run.directory.name == name:
            return Found(run.directory, named=False)
    same = [run for run in kept if run.name == name]
    if not same:
        return None
    others = f", the newest of {len(same)}; fedka runs lists them" if len(same) > 1 else ""
    return Found(same[0].directory, named=False, note=f"the run in {shown(same[0].directory)}{others}")


def nothing_here(name: str, runs: Path = RUNS) -> str:
    """What to say of this machine where a name was not found in a cluster either."""
    names = sorted({run.name for run in kept_runs(runs)})
    nothing = f"there is no run of {name} on this machine in {runs}"
    if near := did_you_mean(name, names):
        return f"{nothing}: {near}"
    return f"{nothing} ({there_are(names)})" if names else nothing


def _named(name: str, state_dir: Path) -> Found:
    run: KeptRun | None = kept_run(state_dir)
    if run is None:
        raise NoSuchTraining(f"no run lives in --state-dir {state_dir}: name a directory that fedka run was given")
    if name not in (run.name, state_dir.resolve().name):
        raise NoSuchTraining(f"the run in {state_dir} is one of {run.name}, not of {name}")
    return Found(state_dir, named=True)
