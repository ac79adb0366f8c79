"""A participant in a process of its own, from a connection bundle, as a pod runs it."""

import os
import subprocess
import sys
from pathlib import Path

from fedka.wire.bundle import DOCUMENT, AppSettings, Bundle, KafkaAccess

from .memory_wire import ME

CODE = (
    "import sys; from pathlib import Path; from fedka.participant.main import run_participant; "
    "sys.exit(run_participant(Path(sys.argv[1])))"
)
NOWHERE = "127.0.0.1:1"


def write_bundle(
    directory: Path,
    *,
    name: str = ME,
    run: str = "test.test.00000000",
    bootstrap: str = NOWHERE,
    entrypoint: str = "small:app",
    config: dict[str, str] | None = None,
    seed: int = 42,
) -> Path:
    """A participant's bundle; the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    bundle = Bundle(
        role="participant",
        run=run,
        training="test",
        namespace="test",
        participant=name,
        seed=seed,
        kafka=KafkaAccess(bootstrap_servers=bootstrap),
        app=AppSettings(entrypoint=entrypoint, config=config or {}),
        state_directory=str(directory / "state"),
    )
    (directory / DOCUMENT).write_text(bundle.model_dump_json(by_alias=True))
    return directory


def start(bundle: Path, where: Path) -> subprocess.Popen[str]:
    """Start it in the working directory `where`; its log is its stderr."""
    return subprocess.Popen(
        [sys.executable, "-c", CODE, str(bundle)],
        cwd=where,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
