"""A training whose model differs with seed, participant and round, and what it comes to when nothing is broken."""

from pathlib import Path
from types import ModuleType
from typing import Any

from ..cli.command import Directory
from ..e2e.small_app import NAME, SOURCE, manifest
from ..reference_loop import reference_run

SEED = 42  # of `rounds.seed`


def small_training(directory: Directory, *, pause: float = 0.05, **spec: Any) -> str:
    """Write the training and its app; the file's name. A round needs everybody and is tried again until it has them."""
    (directory.path / f"{NAME}.py").write_text(SOURCE)
    rounds = {"deadlineSeconds": 600, "maxMissedRounds": 1000, **spec.pop("rounds", {})}
    return directory.write(manifest("tiny", pause=pause, rounds=rounds, **spec))


def undisturbed_digests(rounds: int, participants: tuple[str, ...] = ("bank-a", "bank-b")) -> list[str]:
    """The digest of each model as a status has it, round 0 the first, where every round takes everybody's update."""
    module = ModuleType(NAME)
    exec(compile(SOURCE, str(Path(NAME)), "exec"), module.__dict__)  # noqa: S102  the app as pods load it, from its text
    models = reference_run(module.app, {name: {} for name in participants}, seed=SEED, rounds=rounds)
    return [f"blake3:{model.digest}" for model in models]
