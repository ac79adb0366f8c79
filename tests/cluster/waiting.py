"""Waiting for what tells nobody when it happens: an answer over HTTP, a node that becomes ready."""

import threading
import time
from collections.abc import Callable

LOOK_SECONDS = 0.05


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    never = threading.Event()
    while not condition():
        if time.monotonic() > end:
            return False
        never.wait(LOOK_SECONDS)
    return True
