"""What an app's functions are told."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from blake3 import blake3

ConfigT = TypeVar("ConfigT")

SEED_BYTES = 4


@dataclass(frozen=True, slots=True)
class Context(Generic[ConfigT]):
    """Who is asked for what. Given to every function of an app.

    `config` is of the type that the app declared, or a read-only mapping of strings. `round` is 0 in `model` and
    `examples`, else the round trained for or the round whose model is evaluated. `seed` is below 2^32, so that torch,
    numpy, scikit-learn and `random` all take it, and the same in every rerun. `state_dir` outlives the process; None
    where there is no such place.
    """

    config: ConfigT
    participant: str
    round: int
    seed: int
    logger: logging.Logger
    state_dir: Path | None


def seed_for(run_seed: int, participant: str, round_number: int) -> int:
    """BLAKE3 of run seed, participant and round, as an int in [0, 2^32)."""
    digest = blake3(f"{run_seed}\0{participant}\0{round_number}".encode()).digest(SEED_BYTES)
    return int.from_bytes(digest, "little")
