"""Fedka's images for a cluster on this machine, built when something that goes into them has changed.

An image is exported without the layers of the foundation that it stands on, so that a changed line of Fedka costs
3 MB to hand over and not 3 GB of torch: import them in the order given.
"""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fedka.local.kafka_fetch import default_cache
from fedka.local.kafka_lock import FileLock

from .base_image import NAME as BASE
from .base_image import ensure_base
from .buildah import Buildah

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 1800  # another process is building, on a slow machine
DIGITS = 12
CODE = ("pyproject.toml", "README.md", "LICENSE", "operator")
TOOLS = ("images", "requirements/tools.txt")
HOSPITAL = "examples/hospital"


@dataclass(frozen=True, slots=True)
class Image:
    """`name` says by its tag what is in it; `alias` is the same at every build. A pod may use either."""

    kind: str
    name: str
    alias: str
    archive: Path


@dataclass(frozen=True, slots=True)
class _Recipe:
    """`on` is the foundation, whose files go in as well; a foundation itself is exported whole."""

    files: tuple[str, ...]
    on: str | None = None
    directory: str | None = None  # of a Dockerfile that stands beside what it builds, and begins with `base`
    base: str | None = None


RECIPES = {
    "libraries": _Recipe((*TOOLS, "requirements/operator.txt")),
    "torch": _Recipe((*TOOLS, "requirements/operator.txt", "requirements/participant.txt")),
    "fedka": _Recipe(CODE, on="libraries"),
    "participant": _Recipe(CODE, on="torch"),
    "hospital": _Recipe((*CODE, HOSPITAL), on="torch", directory=HOSPITAL, base="participant"),
}
WANTED = ("fedka", "participant", "hospital")


def silent(_message: str) -> None:
    """Reports nothing."""


def build_images(
    cache: Path | None = None, progress: Callable[[str], None] = silent, kinds: Iterable[str] = WANTED
) -> list[Image]:
    """Those wanted and the foundations below them, in the order to import them.

    Without a change it takes no time, with one in Fedka's code 15 s, the first time 5 minutes, most of it for torch.
    Raises ToolsMissing or BuildFailed.
    """
    home = (cache or default_cache()) / "images"
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "lock", patience_seconds=PATIENCE_SECONDS, cancelled=threading.Event())
    try:
        return _Workshop(home, progress).images(_with_foundations(kinds))
    finally:
        lock.release()


class _Workshop:
    def __init__(self, home: Path, progress: Callable[[str], None]) -> None:
        self._home = home
        self._progress = progress
        self._made: Buildah | None = None

    def images(self, kinds: Sequence[str]) -> list[Image]:
        if not (self._home / "buildah" / "storage").exists():
            for record in self._home.glob("*.json"):  # a foundation built again need not be the same to the last bit
                record.unlink()
        made = [self._image(kind) for kind in kinds]
        if self._made is not None:
            self._made.finish()
        return made

    def _image(self, kind: str) -> Image:
        record = self._home / f"{kind}.json"
        inputs = _inputs(kind)
        if record.exists():
            known: dict[str, str] = json.loads(record.read_text())
            image = self._named(kind, known["identity"])
            if known["inputs"] == inputs and image.archive.exists():
                return image
        record.unlink(missing_ok=True)
        identity = self._build(kind)
        image = self._named(kind, identity)
        self._export(image)
        record.write_text(json.dumps({"inputs": inputs, "identity": identity}))
        return image

    def _named(self, kind: str, identity: str) -> Image:
        repository = "localhost/fedka" if kind == "fedka" else f"localhost/fedka-{kind}"
        tag = identity[:DIGITS]
        return Image(kind, f"{repository}:{tag}", f"{repository}:dev", self._home / f"{kind}-{tag}.tar")

    def _build(self, kind: str) -> str:
        self._progress(f"Building the image {kind}")
        buildah = self._buildah()
        recipe = RECIPES[kind]
        if recipe.directory is None:
            self._target(kind)
        else:
            assert recipe.base is not None
            self._target(recipe.base)
            context = self._home / "context" / recipe.directory
            arguments = {"BASE": _built(recipe.base)}
            # its libraries come by pip, whose byte code goes by the files' times
            buildah.build(_built(kind), context / "Dockerfile", context, arguments=arguments, reproducible=False)
        identity = buildah.identity(_built(kind))
        assert identity is not None
        return identity

    def _target(self, kind: str) -> None:
        context = self._home / "context"
        self._buildah().build(
            _built(kind), context / "images" / "Dockerfile", context, target=kind, arguments={"BASE": BASE}
        )

    def _export(self, image: Image) -> None:
        buildah = self._buildah()
        for old in self._home.glob(f"{image.kind}-*.tar"):
            old.unlink()
        on = RECIPES[image.kind].on
        below = buildah.layers(_built(on)) if on is not None else ()
        buildah.export(_built(image.kind), (image.name, image.alias), image.archive, without=below)

    def _buildah(self) -> Buildah:
        """When the first image is to be built: what is there already needs no tools."""
        if self._made is None:
            self._made = Buildah(self._home / "buildah")
            _copy_tree(self._home / "context")
            if self._made.identity(BASE) is None:
                self._progress("Making the base image from Debian's packages, once")
            ensure_base(self._made, self._home)
            self._target("tools")  # by name, or they would be pruned and installed again at every change
        return self._made


def _built(kind: str) -> str:
    """The name in buildah's storage."""
    return f"localhost/built-{kind}:latest"


def _with_foundations(kinds: Iterable[str]) -> list[str]:
    wanted = set(kinds)
    wanted |= {on for kind in wanted if (on := RECIPES[kind].on) is not None}
    return [kind for kind in RECIPES if kind in wanted]


def _inputs(kind: str) -> str:
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


def _copy_tree(context: Path) -> None:
    """All that any image is made from, without byte code and with no times, which would look like changes."""
    shutil.rmtree(context, ignore_errors=True)
    for name in ("images", "requirements", HOSPITAL, *CODE):
        for path in _files(ROOT / name):
            copy = context / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    for path in context.rglob("*"):
        os.utime(path, (0, 0))


if __name__ == "__main__":
    for built in build_images(progress=lambda message: print(f"{message}...", flush=True)):  # noqa: T201  for `make images`
        print(f"{built.name}  {built.archive}")  # noqa: T201
