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
    return _helm(
        "upgrade", "--install", RELEASE, str(CHART), f"--namespace={NAMESPACE}", "--create-namespace",
        f"--values={values}", "--wait", f"--timeout={PATIENCE}",
    )  # fmt: skip


def down() -> int:
    """Take the operator away; the CRD stays, and with it every training."""
    return _helm("uninstall", RELEASE, f"--namespace={NAMESPACE}", "--wait", f"--timeout={PATIENCE}")


COMMANDS: dict[str, Callable[[], int]] = {"up": up, "down": down}


def _helm(*arguments: str) -> int:
    installed = shutil.which("helm")
    program = Path(installed) if installed else helm_program(progress=print)
    try:
        print(Helm(program, Path.home()).run(*arguments))
    except HelmFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0
