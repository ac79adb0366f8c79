"""A participant's log: stderr, one readable line each.

It has a descriptor of its own: an app that closes stderr, or puts something else in its place, must not end the log.
"""

import logging
import os
import sys

APP_LOGGER = "app"


def log_to_stderr(participant: str) -> None:
    """Log to stderr: time, level, participant, message. Fedka and the app from INFO on, libraries from WARNING on."""
    name = participant.replace("%", "%%")
    logging.basicConfig(
        stream=os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="backslashreplace"),
        level=logging.WARNING,
        format=f"%(asctime)s %(levelname)-7s {name}: %(message)s",
        datefmt="%H:%M:%S",
        force=True,
    )
    for logger in ("fedka", APP_LOGGER):
        logging.getLogger(logger).setLevel(logging.INFO)
