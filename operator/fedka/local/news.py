"""What changes in a state directory, told to all who wait: one watch of the file system, whoever asks how often.

The run itself is another process, so its files are all that tells; its lock tells when it has ended.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from types import TracebackType
from typing import Self

from watchfiles import awatch

from fedka.local.state_dir import LOGS, is_run

GATHER_MILLISECONDS = 50  # what changes together is told together
LOOK_MILLISECONDS = 1000  # a file system of another machine tells nothing, and no file tells that a run was killed


class News:
    """The news of one state directory, from the first one who asks until it is closed (`async with`)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._changed = asyncio.Condition()
        self._number = 0
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch

    async def looks(self) -> AsyncGenerator[bool, None]:
        """Whether somebody runs the run: now, and whenever something may have changed.

        The last is False: after it nothing changes any more.
        """
        while True:
            number, running = self._number, is_run(self._directory)
            yield running
            if not running:
                return
            if self._watch is None:
                self._watch = asyncio.create_task(self._follow(), name="news")
                await asyncio.sleep(0)  # it watches from its first step on: what was before is seen by one more look
                continue
            async with self._changed:
                while self._number == number and not self._watch.done():
                    await self._changed.wait()
            if self._watch.done():
                self._watch.result()  # raises what has ended it: nothing else does

    async def _follow(self) -> None:
        places = (self._directory, self._directory / LOGS)
        try:
            async with contextlib.aclosing(
                awatch(
                    *(place for place in places if place.is_dir()),
                    debounce=GATHER_MILLISECONDS,
                    step=GATHER_MILLISECONDS,
                    rust_timeout=LOOK_MILLISECONDS,
                    yield_on_timeout=True,
                    recursive=False,  # Kafka's data lies below
                )
            ) as batches:
                async for _ in batches:
                    await self._tell()
        finally:
            await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._number += 1
            self._changed.notify_all()
