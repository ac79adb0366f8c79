"""Helm, built from source once: where there is no download, Go modules can be had."""

import os
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from fedka.local.kafka_fetch import default_cache
from fedka.local.kafka_lock import FileLock

from .programs import run_go, silent

VERSION = "v4.3.1"
MODULE = "helm.sh/helm/v4/cmd/helm"
PATIENCE_SECONDS = 1200  # another process is building, on a slow machine


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
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(program.parent / "lock", patience_seconds=PATIENCE_SECONDS, cancelled=threading.Event())
        try:
            if not program.exists():  # another process may just have built it
                progress(f"Building Helm {VERSION} from source, once (2 minutes on two cores)")
                _build(program)
        finally:
            lock.release()
    return program


def _build(program: Path) -> None:
    with tempfile.TemporaryDirectory(dir=program.parent) as scratch:
        run_go(f"Helm {VERSION}", "install", f"{MODULE}@{VERSION}", GOBIN=scratch)
        Path(scratch, "helm").rename(program)
