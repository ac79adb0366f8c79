"""The real aggregator, with a finger on the trigger: `killable_aggregator.py BUNDLE POINT[#N] ALIVE_SECONDS`.

At the Nth time (first by default) that the run passes POINT, the process sends itself SIGKILL: no handler, no flush.
Its log says which spec it has taken up, as nothing else does before the next round.
"""

import logging
import os
import signal
import sys
from pathlib import Path

from fedka.aggregator.main import run_aggregator

point, _, number = sys.argv[2].partition("#")
left = int(number or 1)


def at(name: str) -> None:
    """Called at each named point."""
    global left  # noqa: PLW0603  one process, one count
    if name.startswith("obeying"):
        logging.getLogger("killable").info(name)
    if name == point:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
sys.exit(run_aggregator(Path(sys.argv[1]), at=at, alive_seconds=float(sys.argv[3])))
