"""`fedka` as it is installed, but for an aggregator that waits in the middle of publishing a model (`test_ctrl_c.py`).

It does so where the named pipe `closing` lies beside the app, until a test has opened and closed the other end.
"""

import os
import sys
from pathlib import Path

from fedka.cli.main import main
from fedka.cli.pods import UNSUPERVISED

CLOSING = Path("closing")


def wait_for_the_test(point: str) -> None:
    """Called at each named point of a run."""
    if point == "model half published" and CLOSING.exists():
        CLOSING.read_bytes()


if sys.argv[1:] == ["aggregator", UNSUPERVISED]:
    from fedka.aggregator.main import run_aggregator
    from fedka.wire.bundle import VARIABLE

    sys.exit(run_aggregator(Path(os.environ[VARIABLE]), at=wait_for_the_test))
sys.exit(main())
