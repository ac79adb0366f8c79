"""The keyed queue, on a timer that fires when told to."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from fedka.reconcile.queue import Backoff, KeyedQueue, QueueClosedError


@dataclass
class Timers:
    now: float = 0.0
    waiting: list["Timer"] = field(default_factory=list)

    def call_later(self, delay: float, callback: Callable[[], None]) -> "Timer":
        timer = Timer(self, self.now + delay, callback)
        self.waiting.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for timer in [timer for timer in self.waiting if timer.due <= self.now]:
            self.waiting.remove(timer)
            timer.callback()


@dataclass(eq=False)
class Timer:
    timers: Timers
    due: float
    callback: Callable[[], None]

    def cancel(self) -> None:
        if self in self.timers.waiting:
            self.timers.waiting.remove(self)


@pytest.fixture
def timers() -> Timers:
    return Timers()


@pytest.fixture
def queue(timers: Timers) -> KeyedQueue[str]:
    return KeyedQueue(now=lambda: timers.now, timer=timers.call_later, random=Random(1))  # noqa: S311  no secrets


async def drain(queue: KeyedQueue[str]) -> list[str]:
    taken = []
    while True:
        try:
            key = await asyncio.wait_for(queue.take(), 0.01)
        except TimeoutError:
            return taken
        taken.append(key)
        queue.done(key)


async def test_keys_come_in_the_order_they_were_added(queue: KeyedQueue[str]):
    for key in ("b", "a", "c"):
        queue.add(key)
    assert await drain(queue) == ["b", "a", "c"]


async def test_a_key_waits_once_however_often_it_is_added(queue: KeyedQueue[str], timers: Timers):
    queue.add("a", after=5)
    queue.add("a")
    queue.add("a")
    queue.add("a", after=1)
    assert len(queue) == 1
    assert await drain(queue) == ["a"]
    timers.advance(10)
    assert await drain(queue) == []


async def test_a_key_added_while_it_is_worked_on_comes_again_afterwards(queue: KeyedQueue[str]):
    queue.add("a")
    key = await queue.take()
    queue.add("a")
    queue.add("b")
    other = await queue.take()
    assert other == "b"
    queue.done(key)
    assert await queue.take() == "a"


async def test_a_delayed_key_comes_in_its_time(queue: KeyedQueue[str], timers: Timers):
    queue.add("a", after=5)
    timers.advance(4.9)
    assert await drain(queue) == []
    timers.advance(0.2)
    assert await drain(queue) == ["a"]


async def test_the_earlier_of_two_delays_wins(queue: KeyedQueue[str], timers: Timers):
    queue.add("a", after=5)
    queue.add("a", after=1)
    queue.add("a", after=9)
    timers.advance(1)
    assert await drain(queue) == ["a"]
    timers.advance(20)
    assert await drain(queue) == []


async def test_failures_wait_longer_each_time_up_to_the_limit(timers: Timers):
    queue: KeyedQueue[str] = KeyedQueue(
        now=lambda: timers.now,
        timer=timers.call_later,
        random=Random(1),  # noqa: S311  no secrets
        backoff=Backoff(first=1.0, most=8.0),
    )
    delays = [queue.retry("a") for _ in range(6)]
    for delay, step in zip(delays, (1, 2, 4, 8, 8, 8), strict=True):
        assert step / 2 <= delay <= step


async def test_after_a_success_the_next_failure_is_the_first(queue: KeyedQueue[str]):
    for _ in range(10):
        queue.retry("a")
    queue.succeeded("a")
    assert queue.retry("a") <= Backoff().first


async def test_a_closed_queue_ends_its_workers(queue: KeyedQueue[str]):
    worker = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.close()
    with pytest.raises(QueueClosedError):
        await asyncio.wait_for(worker, 60)
