"""Looking at every training again now and then, for what no watch tells, such as a Secret that was deleted by hand."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from random import Random

from fedka.reconcile.cache import TrainingKey
from fedka.reconcile.coverage import Coverage
from fedka.reconcile.ports import ClusterError

LOGGER = logging.getLogger("fedka.reconcile")
JITTER = 0.1


async def resync(
    period: float,
    *,
    random: Random,
    coverage: Coverage,
    keys: Callable[[], Sequence[TrainingKey]],
    look_again: Callable[[TrainingKey], None],
) -> None:
    """Until cancelled: all trainings once in `period` seconds, spread over it, so that no moment has more work than
    others. Raises WatchSilent.
    """
    while True:
        trainings = keys()
        pause = period / max(1, len(trainings))
        for key in trainings:
            await asyncio.sleep(_jittered(pause, random))
            look_again(key)
        if not trainings:
            await asyncio.sleep(_jittered(pause, random))
        try:
            await coverage.restore()
        except ClusterError as error:
            LOGGER.warning("what the watch may have missed is looked for later: %s", error)


def _jittered(seconds: float, random: Random) -> float:
    """So that operators that were started together do not stay together."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)
