"""One lock file per shared directory, so that two runs at once do not write into the same one.

A lock of `flock` belongs to the open file, not to the process: the broker inherits the descriptor, so its directory
stays locked as long as either the broker or the run that started it lives, and is free at once when both are gone,
however they ended. No stale lock can be left.
"""

import fcntl
import os
import threading
from pathlib import Path

RETRY_SECONDS = 0.05  # there is no event for "a file lock was released"


class FileLock:
    """Held from construction to `release`.

    Raises `BlockingIOError` when another has it and the patience runs out or `cancelled` is set.
    """

    def __init__(self, path: Path, *, patience_seconds: float, cancelled: threading.Event) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        tries = int(patience_seconds / RETRY_SECONDS)
        while not self._try():
            if tries <= 0 or cancelled.wait(RETRY_SECONDS):
                os.close(self.descriptor)
                raise BlockingIOError(f"{path} is locked")
            tries -= 1

    def write(self, text: str) -> None:
        """Leaves a word for whoever finds the lock taken."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)

    def release(self) -> None:
        """Lets go of it; a program that inherited the descriptor still holds it."""
        os.close(self.descriptor)

    def _try(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
