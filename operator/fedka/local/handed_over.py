"""Connection bundles of External participants, as directories: in a cluster a Secret is handed over, here a path.

So a participant can be run by hand beside a local run: in a debugger, in a notebook, with a Python of its own.
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def hand_over(secret: Mapping[str, Any], participant: str, directory: Path) -> tuple[str, Path]:
    """Write the participant's bundle below `directory`, readable by this user only; the participant and where it is."""
    bundle = directory / participant
    bundle.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file, value in (secret.get("data") or {}).items():
        (bundle / file).touch(mode=0o600)
        (bundle / file).write_bytes(base64.b64decode(value))
    return participant, bundle
