"""The Kafka of a run, for whoever reads it from beside: the live one, or one that is started on the run's data.

A run that is under way is never touched: its address is what it has written down. Of one that nobody runs, the data
directory takes one broker at a time, so a second reader waits for the first.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fedka.local.invocation import read_invocation
from fedka.local.kafka_errors import LocalKafkaError, StateDirInUse
from fedka.local.kafka_server import KafkaServer
from fedka.local.served import served
from fedka.local.state_dir import StateDir, Use, holder

AGAIN_SECONDS = 0.05  # as a lock's: there is no event for its release


class NoKafkaToRead(LocalKafkaError):
    """The run has no Kafka data here, or its Kafka does not answer yet."""


@asynccontextmanager
async def kafka_of(directory: Path, say: Callable[[str], None]) -> AsyncIterator[str]:
    """The bootstrap servers of a run's Kafka, good for the body; `say` is told what it waits for.

    Raises a LocalKafkaError.
    """
    kept = read_invocation(directory)
    if kept is not None and kept.bootstrap_servers is not None:
        yield kept.bootstrap_servers
        return
    taken = await _take(directory, say)
    if taken is None:
        yield _live(directory)
        return
    try:
        if not (directory / "kafka" / "data").is_dir():
            raise NoKafkaToRead(
                f"{directory} holds no data of Kafka: its run never got that far, or used a Kafka elsewhere; "
                "then name that with --bootstrap-servers HOST:PORT"
            )
        async with served(KafkaServer(state_dir=directory, progress=say)) as servers:
            yield servers
    finally:
        taken.release()


async def _take(directory: Path, say: Callable[[str], None]) -> StateDir | None:
    """The directory, for reading; None where a run is under way in it."""
    told = False
    while True:
        try:
            return StateDir(directory, Use.READING, patience_seconds=0)
        except StateDirInUse:
            held = holder(directory)
        if held is not None and held.use is Use.RUN:
            return None
        if held is not None and held.pid is not None and not told:
            told = True
            say(f"waiting for process {held.pid}, which reads this run as well")
        await asyncio.sleep(AGAIN_SECONDS)


def _live(directory: Path) -> str:
    kept = read_invocation(directory)
    if kept is None or kept.kafka is None:
        raise NoKafkaToRead(f"the run in {directory} is just starting, and its Kafka does not answer yet: try again")
    return kept.kafka
