"""The end of a participant's process: an app may have left threads running, and Python waits for those for ever."""

import logging
import os
import threading
import time

LOGGER = logging.getLogger("fedka.participant")
LINGER_SECONDS = 5.0  # for threads that are about to end


def end_despite_threads(code: int, *, seconds: float = LINGER_SECONDS) -> None:
    """End the process with `code` after `seconds` if threads keep it from ending by itself. Returns at once.

    Without them, what was registered for the exit has the time that it takes.
    """
    threading.Thread(target=_end, args=(code, seconds), name="ending", daemon=True).start()


def _end(code: int, seconds: float) -> None:
    time.sleep(seconds)
    left = [thread.name for thread in threading.enumerate() if not thread.daemon and not _is_main(thread)]
    if left:
        LOGGER.warning("ended, although the app has left threads running: %s; make them daemons", ", ".join(left[:5]))
        os._exit(code)


def _is_main(thread: threading.Thread) -> bool:
    return thread is threading.main_thread()
