"""A broker for as long as something needs it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from fedka.local.kafka_errors import LocalKafkaError


class Startable(Protocol):
    """A Kafka. Both calls block."""

    def start(self) -> str:
        """The bootstrap servers, once it answers. Raises LocalKafkaError."""
        ...

    def stop(self) -> None:
        """End it in order, or cancel its start; from any thread."""
        ...


@contextlib.asynccontextmanager
async def served(server: Startable) -> AsyncIterator[str]:
    """The broker's address; it is stopped at the end, or when its start is cancelled."""
    starting = asyncio.ensure_future(asyncio.to_thread(server.start))
    try:
        yield await asyncio.shield(starting)
    finally:
        await asyncio.to_thread(server.stop)
        with contextlib.suppress(
            LocalKafkaError
        ):  # a start that failed has been raised above; a cancelled one is meant
            await starting
