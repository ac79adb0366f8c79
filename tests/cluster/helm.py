"""Helm, built from source once: where there is no download, Go modules can be had."""

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from fedka.local.kafka_fetch import default_cache

from .building import ensure_built
from .programs import run_go, silent

VERSION = "v4.3.1"
MODULE = "helm.sh/helm/v4/cmd/helm"


class Helm:
    """Talks to the cluster of `kubeconfig`, if one is given; keeps what it writes for itself in `home`."""

    def __init__(self, program: Path, home: Path, kubeconfig: Path | None = None) -> None:
        self._program = program
        self._environment = dict.fromkeys(("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"), f"{home}/helm")
        if kubeconfig is not None:
            self._environment["KUBECONFIG"] = str(kubeconfig)

    def run(self, *arguments: str) -> str:
        """What it printed. Raises HelmFailed."""
        ran = subprocess.run(
            [str(self._program), *arguments],
            env=os.environ | self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode != 0:
            raise HelmFailed(f"helm {' '.join(arguments)}: {ran.stderr.strip() or ran.stdout.strip()}")
        return ran.stdout


class HelmFailed(Exception):
    """Helm ended with an error; the message is what it said."""


def helm_program(cache: Path | None = None, progress: Callable[[str], None] = silent) -> Path:
    """Returns at once when it is there. Raises GoMissing or BuildFailed."""
    home = cache or default_cache()
    program = home / f"helm-{VERSION}" / "helm"

    def build() -> None:
        progress(f"Building Helm {VERSION} from source, once (2 minutes on two cores)")
        _build(program)

    ensure_built(program, build, home=program.parent)
    return program


def _build(program: Path) -> None:
    with tempfile.TemporaryDirectory(dir=program.parent) as scratch:
        run_go(f"Helm {VERSION}", "install", f"{MODULE}@{VERSION}", GOBIN=scratch)
        Path(scratch, "helm").rename(program)
