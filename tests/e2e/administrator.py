"""Somebody who types what docs/install.md shows, at a machine where kubectl and Helm are set up for this cluster."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..cluster.chart import CHART
from ..cluster.helm import helm_program
from ..cluster.programs import kubernetes_programs
from ..docs.pages import all_commands
from ..docs.running import run

PAGE = "docs/install.md"


class Administrator:
    """Works in `home`, where the page's reader has the tree's charts and a `values.yaml`."""

    def __init__(self, home: Path, kubeconfig: Path) -> None:
        self._home = home
        self._environment = {
            "KUBECONFIG": str(kubeconfig),
            "PATH": os.pathsep.join(
                (str(kubernetes_programs().directory), str(helm_program().parent), os.environ["PATH"])
            ),
            **dict.fromkeys(("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"), str(home / "helm")),
        }
        (home / CHART.parent.name).symlink_to(CHART.parent)

    def has_values(self, values: Mapping[str, Any]) -> None:
        """In `values.yaml`."""
        (self._home / "values.yaml").write_text(json.dumps(dict(values)))

    def types(self, beginning: str) -> None:
        """The page's command that begins so."""
        (command,) = (
            each for each in all_commands() if each.place.startswith(f"{PAGE}:") and each.text.startswith(beginning)
        )
        assert run(command, self._home, **self._environment) == ""
