"""What changes in a state directory, told to all who wait."""

import asyncio
from contextlib import aclosing

import pytest

from fedka.local.news import News
from fedka.local.state_dir import StateDir

PATIENCE = 60


@pytest.fixture
def state_dir(tmp_path):
    state_dir = StateDir(tmp_path / "state")
    state_dir.logs.mkdir()
    return state_dir


async def looks_of(news: News, until) -> int:
    """How many looks it took until that was so."""
    number = 0
    async with aclosing(news.looks()) as looks:
        async for _running in looks:
            number += 1
            if until():
                break
    return number


async def test_changes_of_the_directory_and_of_the_logs_are_told_to_all(state_dir):
    path = state_dir.path
    async with asyncio.timeout(PATIENCE), News(path) as news, asyncio.TaskGroup() as tasks:
        for file in (path / "training.json", path / "logs" / "a.log"):
            tasks.create_task(looks_of(news, file.exists))
        await asyncio.sleep(0)
        (path / "training.json").touch()
        (path / "logs" / "a.log").touch()
    state_dir.release()


async def test_end_of_the_run_is_the_last_that_is_told(state_dir):
    told = []
    async with asyncio.timeout(PATIENCE), News(state_dir.path) as news, aclosing(news.looks()) as looks:
        async for running in looks:
            told.append(running)
            if len(told) == 2:
                state_dir.release()
    assert told[:2] == [True, True]
    assert told[-1] is False


async def test_directory_that_nobody_has_is_looked_at_once(tmp_path):
    async with News(tmp_path) as news, aclosing(news.looks()) as looks:
        assert [running async for running in looks] == [False]


async def test_directory_that_is_removed_ends_it(state_dir):
    told = []
    async with asyncio.timeout(PATIENCE), News(state_dir.path) as news, aclosing(news.looks()) as looks:
        async for running in looks:
            told.append(running)
            if len(told) == 2:
                state_dir.discard()
                state_dir.release()
    assert told[-1] is False
