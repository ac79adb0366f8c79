"""Connection bundles of External participants, as directories: in a cluster a Secret is handed over, here a path.

So a participant can be run by hand beside a local run: in a debugger, in a notebook, with a Python of its own.
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fedka.wire.bundle_file import write_files


def hand_over(secret: Mapping[str, Any], participant: str, directory: Path) -> tuple[str, Path]:
    """Write the participant's bundle below `directory`, readable by this user only; the participant and where it is."""
    bundle = directory / participant
    bundle.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_files(bundle, {name: base64.b64decode(value) for name, value in (secret.get("data") or {}).items()})
    return participant, bundle
