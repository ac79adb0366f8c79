"""Fedka's images, built by Docker: for a cluster whose nodes are Docker's containers, as those of kind are."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from .image_recipes import RECIPES, ROOT, Recipe
from .images import DIGITS, WANTED, repository_of

DOCKERFILE = "images/Dockerfile"
BUILD = {
    "DOCKER_BUILDKIT": "1",  # before Docker 23 it is not the default, and the Dockerfile mounts secrets and caches
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",  # they hold times: the same tree would be another image at every build
}
SHOWN_CHARACTERS = 2000
NO_CHANGES: Mapping[str, str] = MappingProxyType({})


class ProgramMissing(Exception):
    """A program that is needed is not on the PATH."""


class DockerAway(Exception):
    """There is Docker's program, and its daemon does not answer."""


class CommandFailed(Exception):
    """A program ended with an error; the message is what it said."""


def call(*command: str, stdin: str = "", directory: Path | None = None, changes: Mapping[str, str] = NO_CHANGES) -> str:
    """What it printed, in this environment with `changes`. Raises CommandFailed."""
    ran = subprocess.run(
        command,
        cwd=directory,
        env=os.environ | changes,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        last_words = (ran.stderr.strip() or ran.stdout.strip())[-SHOWN_CHARACTERS:]
        raise CommandFailed(f"{' '.join(command)}: {last_words}")
    return ran.stdout


def need(program: str, advice: str) -> None:
    """Raises ProgramMissing."""
    if shutil.which(program) is None:
        raise ProgramMissing(f"There is no program {program} on the PATH. Install it: {advice}")


def check_docker() -> None:
    """Raises ProgramMissing or DockerAway."""
    need("docker", "https://docs.docker.com/engine/install")
    try:
        call("docker", "version", "--format={{.Server.Version}}")  # `info` of older ones ends well without a daemon
    except CommandFailed as failure:
        raise DockerAway(
            f"Docker's daemon does not answer. {failure}\n"
            "Start it (systemctl start docker); if it runs, you may have to be in the group docker to reach it."
        ) from failure


def build_images(progress: Callable[[str], None]) -> dict[str, str]:
    """The name of each image by its kind, tagged with what is in it: another tag is another image.

    Docker's own cache makes it quick when little has changed. Raises CommandFailed.
    """
    names: dict[str, str] = {}
    for kind in WANTED:
        progress(f"Building the image {kind} with Docker")
        alias = alias_of(kind)
        call("docker", "build", f"--tag={alias}", *_what(kind, RECIPES[kind], names), directory=ROOT, changes=BUILD)
        identity = call("docker", "image", "inspect", "--format={{.Id}}", alias).strip()
        names[kind] = f"{repository_of(kind)}:{identity.removeprefix('sha256:')[:DIGITS]}"
        call("docker", "tag", alias, names[kind])
    return names


def alias_of(kind: str) -> str:
    """The name that is the same at every build, which examples/ use."""
    return f"{repository_of(kind)}:dev"


def _what(kind: str, recipe: Recipe, names: Mapping[str, str]) -> list[str]:
    if recipe.directory is None:
        return [f"--file={DOCKERFILE}", f"--target={kind}", "."]
    assert recipe.base is not None
    return [f"--build-arg=BASE={names[recipe.base]}", recipe.directory]
