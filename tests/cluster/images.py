"""Fedka's images for a cluster on this machine, built when something that goes into them has changed.

An image is exported without the layers of the foundation that it stands on, so that a changed line of Fedka costs
3 MB to hand over and not 3 GB of torch: import them in the order given.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fedka.local.kafka_fetch import default_cache

from .base_image import NAME as BASE
from .base_image import ensure_base
from .buildah import Buildah
from .building import building_alone
from .image_recipes import RECIPES, copy_tree, inputs_of, with_foundations

DIGITS = 12
WANTED = ("fedka", "participant", "hospital")  # `successor` is for a test alone


@dataclass(frozen=True, slots=True)
class Image:
    """`identity` is a hash of all that is in it, and the tag of `name`; `alias` is the same at every build."""

    kind: str
    identity: str
    name: str
    alias: str
    archive: Path


def silent(_message: str) -> None:
    """Reports nothing."""


def repository_of(kind: str) -> str:
    """The name of an image without its tag."""
    return "localhost/fedka" if kind == "fedka" else f"localhost/fedka-{kind}"


def build_images(
    cache: Path | None = None, progress: Callable[[str], None] = silent, kinds: Iterable[str] = WANTED
) -> list[Image]:
    """Those wanted and the foundations below them, in the order to import them.

    Without a change it takes no time, with one in Fedka's code 15 s, the first time 5 minutes, most of it for torch.
    Raises ToolsMissing or BuildFailed.
    """
    with _locked(cache) as home:
        return _Workshop(home, progress).images(with_foundations(kinds))


def identity_anew(kind: str, cache: Path | None = None) -> str:
    """Of an image made again from its first step on, to see whether the same comes out of it."""
    with _locked(cache) as home:
        return _Workshop(home, silent).identity_anew(kind)


@contextlib.contextmanager
def _locked(cache: Path | None) -> Iterator[Path]:
    home = (cache or default_cache()) / "images"
    with building_alone(home):
        yield home


class _Workshop:
    def __init__(self, home: Path, progress: Callable[[str], None]) -> None:
        self._home = home
        self._progress = progress
        self._made: Buildah | None = None

    def images(self, kinds: Sequence[str]) -> list[Image]:
        if not (self._home / "buildah" / "storage").exists():
            for record in self._home.glob("*.json"):  # a foundation built again need not be the same to the last bit
                record.unlink()
        inputs = {kind: inputs_of(kind) for kind in kinds}  # before they are copied: who edits them now is not missed
        made = [self._image(kind, inputs[kind]) for kind in kinds]
        if self._made is not None:
            self._made.finish()
        return made

    def identity_anew(self, kind: str) -> str:
        buildah = self._buildah()
        self._target(kind, "again", anew=True)
        identity = buildah.identity(_built("again"))
        assert identity is not None
        buildah.forget(_built("again"))
        buildah.finish()
        return identity

    def _image(self, kind: str, inputs: str) -> Image:
        record = self._home / f"{kind}.json"
        if record.exists():
            known: dict[str, str] = json.loads(record.read_text())
            image = self._named(kind, known["identity"])
            if known["inputs"] == inputs and image.archive.exists():
                return image
        record.unlink(missing_ok=True)
        identity = self._build(kind)
        image = self._named(kind, identity)
        if not image.archive.exists():  # a change need not make a difference
            self._export(image)
        record.write_text(json.dumps({"inputs": inputs, "identity": identity}))
        return image

    def _named(self, kind: str, identity: str) -> Image:
        repository = repository_of(kind)
        tag = identity[:DIGITS]
        return Image(kind, identity, f"{repository}:{tag}", f"{repository}:dev", self._home / f"{kind}-{tag}.tar")

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

    def _target(self, kind: str, name: str | None = None, *, anew: bool = False) -> None:
        context = self._home / "context"
        self._buildah().build(
            _built(name or kind),
            context / "images" / "Dockerfile",
            context,
            target=kind,
            arguments={"BASE": BASE},
            anew=anew,
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
            copy_tree(self._home / "context")
            if self._made.identity(BASE) is None:
                self._progress("Making the base image from Debian's packages, once")
            ensure_base(self._made, self._home)
            self._target("tools")  # by name, or they would be pruned and installed again at every change
        return self._made


def _built(kind: str) -> str:
    """The name in buildah's storage."""
    return f"localhost/built-{kind}:latest"


if __name__ == "__main__":
    for built in build_images(progress=lambda message: print(f"{message}...", flush=True)):  # noqa: T201  for `make images`
        print(f"{built.name}  {built.archive}")  # noqa: T201
