"""The real aggregator, which stops at named points until it is told to go on: `halting_aggregator.py BUNDLE POINT...`.

A point may be `NAME#N`: the Nth time that the run passes it, counted from the point before. At each, in this order, it
writes the point's name to stdout and waits for a line on stdin. The points are those of `run_aggregator`.
"""

import logging
import sys
from pathlib import Path

from fedka.aggregator.main import run_aggregator

points = [(name, int(number or 1)) for name, _, number in (point.partition("#") for point in sys.argv[2:])]
passed = 0


def at(name: str) -> None:
    """Called at each named point, by the thread that decides or the one that moves chunks."""
    global passed  # noqa: PLW0603  one process, one place
    if not points or name != points[0][0]:
        return
    passed += 1
    if passed == points[0][1]:
        points.pop(0)
        passed = 0
        print(name, flush=True)  # noqa: T201  the test waits for it
        sys.stdin.readline()


logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
sys.exit(run_aggregator(Path(sys.argv[1]), at=at))
