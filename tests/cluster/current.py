"""`FEDKA_CLUSTER=current make cluster`: Fedka into the cluster that kubectl points at now, wherever that is.

Such a cluster can know neither the images of this tree nor its Kafka, so a file of values has to name both.
"""

# ruff: noqa: T201  it talks to whoever runs make
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from .chart import CHART, NAMESPACE, PATIENCE, RELEASE
from .helm import Helm, HelmFailed, helm_program

NEEDED = f"""
Name a file of values for the chart in FEDKA_VALUES. It has to say
  image and defaultImages   where that cluster finds the images built from images/ and examples/hospital,
  kafkaClusters             a Kafka that its pods reach, and the Secrets in namespace {NAMESPACE} with its credentials.
{CHART / "values.yaml"} explains each.""".strip()


def up() -> int:
    """Install or upgrade the chart."""
    values = os.environ.get("FEDKA_VALUES")
    if values is None or not Path(values).is_file():
        print(NEEDED, file=sys.stderr)
        return 1
    return _told(lambda: install(_helm(), Path(values)))


def down() -> int:
    """Take the operator away; the CRD stays, and with it every training."""
    return _told(
        lambda: _helm().run("uninstall", RELEASE, f"--namespace={NAMESPACE}", "--wait", f"--timeout={PATIENCE}")
    )


def install(helm: Helm, values: Path) -> str:
    """Or upgrade the chart, to these values. Returns what Helm said when the operator is ready. Raises HelmFailed."""
    return helm.run(
        "upgrade", "--install", RELEASE, str(CHART), f"--namespace={NAMESPACE}", "--create-namespace",
        f"--values={values}", "--wait", f"--timeout={PATIENCE}",
    )  # fmt: skip


def find_helm(progress: Callable[[str], None]) -> Path:
    """The one that is installed, or else one built here. Raises GoMissing or BuildFailed."""
    installed = shutil.which("helm")
    return Path(installed) if installed else helm_program(progress=progress)


COMMANDS: dict[str, Callable[[], int]] = {"up": up, "down": down}


def _helm() -> Helm:
    return Helm(find_helm(progress=print), Path.home())


def _told(call: Callable[[], str]) -> int:
    try:
        print(call())
    except HelmFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0
