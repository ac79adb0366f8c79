"""Logging of the processes that are ours alone: one readable line for each event, on stderr.

A participant sets its own (`fedka.participant.logs`), as its log also carries the app's lines.
"""

import logging
import sys
from pathlib import Path


def log_to_stderr(name: str, *, level: int = logging.INFO) -> None:
    """Log to stderr: time, level, name, message. Fedka from `level` on, libraries from WARNING on."""
    _configure(logging.StreamHandler(sys.stderr), name, level)


class LogFile(logging.FileHandler):
    """A file whose disk may be full: that is said once, as nobody is helped by a traceback for each line."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8")
        self._complained = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Called where a record could not be written."""
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._complained:
            self._complained = True
            sys.stderr.write(f"fedka: {self.baseFilename} lacks lines from now on: {error.strerror}\n")


def log_to_file(path: Path, name: str) -> None:
    """The same into a file, for a command whose terminal shows something better."""
    _configure(LogFile(path), name, logging.INFO)


def _configure(handler: logging.Handler, name: str, level: int) -> None:
    escaped = name.replace("%", "%%")
    logging.basicConfig(
        handlers=[handler],
        level=logging.WARNING,
        format=f"%(asctime)s %(levelname)-7s {escaped}: %(message)s",
        datefmt="%H:%M:%S",
        force=True,
    )
    logging.getLogger("fedka").setLevel(level)
