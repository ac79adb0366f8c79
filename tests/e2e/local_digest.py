"""The model's digest of the same training run by `fedka run`: what a run in pods must give as well."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from .small_app import NAME, SOURCE, manifest
from .trainings import digest


def local_digest(home: Path, **spec: Any) -> str:
    (home / f"{NAME}.py").write_text(SOURCE)
    (home / "tiny.yaml").write_text(yaml.safe_dump(manifest("tiny", **spec)))
    command = [str(Path(sys.executable).with_name("fedka")), "run", "tiny.yaml", "-o", "json", "--state-dir", "state"]
    ran = subprocess.run(command, cwd=home, check=True, capture_output=True, text=True, timeout=240)
    return digest(json.loads(ran.stdout)["status"])
