"""Kubernetes' own programs, built from source once: where Docker or a registry are missing, Go modules can be had.

One binary holds all of them and goes by the name it is called by. It lies in the user's cache, in a directory named by
the hash of what it is built from.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fedka.local.kafka_fetch import default_cache

from .building import ensure_built

SOURCE = Path(__file__).with_name("kubernetes")
SOURCES = ("go.mod", "go.sum", "main.go", "pause/main.go")
NAMES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl", "etcd")
VERSION = "v1.34.4"  # the last minor release whose kubelet runs on cgroup v1
OLDEST_GO = (1, 24)
UNUSED_SECONDS = 86400  # then nobody is running it any more
DIGITS = 12


class GoMissing(Exception):
    """There is no Go that is new enough."""


class BuildFailed(Exception):
    """Go could not build the programs."""


@dataclass(frozen=True)
class Programs:
    """The directory that holds one link a program."""

    directory: Path

    def path(self, name: str) -> str:
        """Of one of `NAMES`, or `pause`."""
        return str(self.directory / name)


def silent(_message: str) -> None:
    """Reports nothing."""


def kubernetes_programs(cache: Path | None = None, progress: Callable[[str], None] = silent) -> Programs:
    """Returns at once when they are there. Raises GoMissing or BuildFailed."""
    home = (cache or default_cache()) / "kubernetes"
    hashed = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in SOURCES)).hexdigest()[:DIGITS]
    directory = home / hashed

    def build() -> None:
        progress(f"Building Kubernetes {VERSION} from source, once (5 minutes on two cores)")
        _build(directory)

    ensure_built(directory, build, home=home)
    os.utime(directory)
    _forget_others(directory)
    return Programs(directory)


def _build(directory: Path) -> None:
    version = "k8s.io/component-base/version"
    major, minor = VERSION.lstrip("v").split(".")[:2]
    flags = f"-s -w -X {version}.gitVersion={VERSION} -X {version}.gitMajor={major} -X {version}.gitMinor={minor}"
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix="building-") as scratch:
        made = Path(scratch, "programs")
        made.mkdir()
        _compile("-ldflags", flags, "-o", str(made / "kubernetes"), ".")
        # nothing else is in its image
        _compile("-ldflags", "-s -w", "-o", str(made / "pause"), "./pause", CGO_ENABLED="0")
        for name in NAMES:
            (made / name).symlink_to("kubernetes")
        made.rename(directory)


def _compile(*arguments: str, **environment: str) -> None:
    # no stamp of version control: the same sources give the same programs in any checkout
    run_go(f"Kubernetes {VERSION}", "build", "-buildvcs=false", *arguments, directory=SOURCE, **environment)


def run_go(what: str, *arguments: str, directory: Path | None = None, **environment: str) -> None:
    """Have Go build `what`. Raises GoMissing or BuildFailed."""
    built = subprocess.run(
        [find_go(), *arguments],
        cwd=directory,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        raise BuildFailed(f"Go could not build {what}. Its last words:\n{built.stderr[-2000:]}")


def find_go() -> str:
    """The Go to build with. Raises GoMissing."""
    wanted = ".".join(map(str, OLDEST_GO))
    go = shutil.which("go")
    if go is None:
        raise GoMissing(
            f"Kubernetes and Helm are built from source, which needs Go {wanted} or newer, and there is none. {_ADVICE}"
        )
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"go(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_GO:
        raise GoMissing(
            f"Kubernetes and Helm are built from source, which needs Go {wanted} or newer; {go} is {said.strip()}. "
            f"{_ADVICE}"
        )
    return go


_ADVICE = "Install it from https://go.dev/dl, or on Debian 13 and newer: apt-get install golang."


def _forget_others(directory: Path) -> None:
    for other in directory.parent.iterdir():
        if other.is_dir() and other != directory and time.time() - other.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(other)
