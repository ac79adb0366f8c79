"""What takes minutes to build is built by one process at a time, in the user's cache."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from fedka.local.kafka_lock import FileLock

PATIENCE_SECONDS = 1800  # another process is building, on a slow machine


@contextlib.contextmanager
def building_alone(home: Path) -> Iterator[None]:
    """While the body runs, nobody else builds in `home`, which is made if need be."""
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "lock", patience_seconds=PATIENCE_SECONDS, cancelled=threading.Event())
    try:
        yield
    finally:
        lock.release()


def ensure_built(made: Path, build: Callable[[], None], *, home: Path) -> None:
    """Build what is not there; what another process has just built is."""
    if made.exists():
        return
    with building_alone(home):
        if not made.exists():
            build()
