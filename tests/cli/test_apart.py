"""Work that blocks, and a caller that may leave it."""

import asyncio
import queue
import threading
from pathlib import Path

import pytest

from fedka.cli.apart import apart
from fedka.cli.model_fetch import fetched
from fedka.cli.safetensors_file import part_of

PATIENCE = 200


class Work:
    """It blocks until it is let go; by then nobody may have waited for it."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.done = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        self.go.wait(PATIENCE)
        self.done.set()
        return "done"

    async def left_by(self, waiting: asyncio.Task[object]) -> None:
        await asyncio.to_thread(self.begun.wait, PATIENCE)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_its_result_is_the_callers():
    assert await apart(lambda: 3) == 3


async def test_its_error_is_the_callers():
    def refuses() -> None:
        raise KeyError("no")

    with pytest.raises(KeyError, match="no"):
        await apart(refuses)


def test_no_program_waits_for_work_that_was_left():
    work = Work()

    async def program() -> None:
        await work.left_by(asyncio.create_task(apart(work)))

    asyncio.run(program())
    assert not work.done.is_set()
    work.go.set()
    assert work.done.wait(PATIENCE)


def test_model_that_is_no_longer_wanted_leaves_no_part_of_its_file(tmp_path: Path):
    file, work = tmp_path / "m.safetensors", Work()
    still_wanted: queue.Queue[bool] = queue.Queue()

    def fetch(goes_on) -> object:
        part_of(file).touch()
        work()
        still_wanted.put(goes_on())

    async def program() -> None:
        await work.left_by(asyncio.create_task(fetched(file, fetch)))

    asyncio.run(program())
    assert list(tmp_path.iterdir()) == []
    work.go.set()
    assert not still_wanted.get(timeout=PATIENCE)
