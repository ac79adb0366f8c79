"""What each image is made from, and so when it has to be made again."""

import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .base_image import NAME as BASE

ROOT = Path(__file__).resolve().parents[2]
CODE = ("pyproject.toml", "README.md", "LICENSE", "operator")
TOOLS = ("images", "requirements/tools.txt")
HOSPITAL = "examples/hospital"
SUCCESSOR = "tests/cluster/successor"


@dataclass(frozen=True, slots=True)
class Recipe:
    """`files` go in. `on` is the foundation, whose files go in as well; a foundation itself is exported whole."""

    files: tuple[str, ...]
    on: str | None = None
    directory: str | None = None  # of a Dockerfile that stands beside what it builds, and begins with `base`
    base: str | None = None


RECIPES = {
    "libraries": Recipe((*TOOLS, "requirements/operator.txt")),
    "torch": Recipe((*TOOLS, "requirements/operator.txt", "requirements/participant.txt")),
    "fedka": Recipe(CODE, on="libraries"),
    "participant": Recipe(CODE, on="torch"),
    "hospital": Recipe((*CODE, HOSPITAL), on="torch", directory=HOSPITAL, base="participant"),
    "successor": Recipe((*CODE, SUCCESSOR), on="libraries", directory=SUCCESSOR, base="fedka"),
}


def with_foundations(kinds: Iterable[str]) -> list[str]:
    """These kinds and what they stand on, in the order to build and to import them."""
    wanted = set(kinds)
    wanted |= {on for kind in wanted if (on := RECIPES[kind].on) is not None}
    return [kind for kind in RECIPES if kind in wanted]


def inputs_of(kind: str) -> str:
    """A hash of all files that go into an image."""
    recipe = RECIPES[kind]
    names = (*recipe.files, *(RECIPES[recipe.on].files if recipe.on is not None else ()))
    hashed = hashlib.sha256(BASE.encode())
    for name in sorted(names):
        for path in _files(ROOT / name):
            hashed.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return hashed.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(
        file for file in path.rglob("*") if file.is_file() and not {"__pycache__", ".fedka"} & set(file.parts)
    )


def copy_tree(context: Path) -> None:
    """All that any image is made from, without byte code and with no times, which would look like changes."""
    shutil.rmtree(context, ignore_errors=True)
    for name in ("images", "requirements", HOSPITAL, SUCCESSOR, *CODE):
        for path in _files(ROOT / name):
            copy = context / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    for path in context.rglob("*"):
        os.utime(path, (0, 0))
