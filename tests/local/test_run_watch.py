"""A run's own broker that dies: started again, unless that does not help."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from fedka.local.cluster import InMemoryCluster
from fedka.local.crd_admission import CrdAdmission
from fedka.local.kafka_errors import KafkaKilled, KafkaStartFailed
from fedka.local.run_watch import MOST_DEATHS, LocalRun
from fedka.wire.bundle import KafkaAccess

GENEROUS_SECONDS = 60


class Mortal:
    """A broker that is dead; `starts` says what becomes of each start: it dies at once, unless `True`."""

    def __init__(self, home: Path, starts: list[Exception | bool]) -> None:
        self.log_path = home / "kafka.log"
        self.alive = False
        self._starts = starts
        self.lives: Callable[[], None] = lambda: None

    def start(self) -> str:
        raise AssertionError("it has been started before")

    def stop(self) -> None:
        raise AssertionError("nobody asked for that")

    def revive(self) -> None:
        outcome = self._starts.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        self.alive = outcome
        if outcome:
            self.lives()


class Deaths:
    """An observer that counts them."""

    def __init__(self) -> None:
        self.count = 0

    def kafka_died(self, _log: Path) -> None:
        self.count += 1

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} has nothing to do with the broker")


async def keep(home: Path, starts: list[Exception | bool]) -> int:
    """Keep a broker until it lives or is given up; how often it was found dead and started."""
    broker, deaths, loop = Mortal(home, starts), Deaths(), asyncio.get_running_loop()
    drawn = Random(1)  # noqa: S311  no secrets
    cluster = InMemoryCluster(clock=lambda: datetime.now(UTC), random=drawn, admission=CrdAdmission())
    access = KafkaAccess(bootstrap_servers="127.0.0.1:1")
    run = LocalRun(deaths, access=access, cluster=cluster, server=broker, bundles=home)
    keeping = asyncio.create_task(run.keep_kafka())
    broker.lives = lambda: loop.call_soon_threadsafe(keeping.cancel)
    await asyncio.wait([keeping], timeout=GENEROUS_SECONDS)
    assert keeping.done()
    return deaths.count


async def test_one_that_is_killed_while_it_starts_is_started_once_more(tmp_path: Path):
    assert await keep(tmp_path, [KafkaKilled("ended with code -9"), True]) == 2


async def test_one_that_says_why_it_cannot_start_is_not_tried_again(tmp_path: Path):
    assert await keep(tmp_path, [KafkaStartFailed("another cluster's data")]) == 1


async def test_one_that_dies_again_and_again_is_given_up(tmp_path: Path):
    assert await keep(tmp_path, [False] * MOST_DEATHS) == MOST_DEATHS
