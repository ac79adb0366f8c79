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


def laned(timers: Timers) -> KeyedQueue[str]:
    """Lanes by the first letter, two keys at a time of each."""
    return KeyedQueue(
        now=lambda: timers.now,
        timer=timers.call_later,
        random=Random(1),  # noqa: S311  no secrets
        lane=lambda key: key[0],
        share=2,
    )


async def test_a_lane_takes_no_more_than_its_share(timers: Timers):
    queue = laned(timers)
    for key in ("a1", "a2", "a3", "a4", "b1"):
        queue.add(key)
    assert {await queue.take() for _ in range(3)} == {"a1", "a2", "b1"}
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 0.01)


async def test_what_is_done_makes_room_in_its_lane(timers: Timers):
    queue = laned(timers)
    for key in ("a1", "a2", "a3"):
        queue.add(key)
    taken = [await queue.take() for _ in range(2)]
    waiting = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.done(taken[0])
    assert await asyncio.wait_for(waiting, 60) == "a3"


async def test_lanes_take_turns(timers: Timers):
    queue = laned(timers)
    for key in ("a1", "a2", "b1", "b2"):
        queue.add(key)
    assert [await queue.take() for _ in range(4)] == ["a1", "b1", "a2", "b2"]


async def test_a_key_is_worked_on_once_even_if_it_has_changed_lanes(timers: Timers):
    lanes = {"x": "one"}
    queue: KeyedQueue[str] = KeyedQueue(
        now=lambda: timers.now,
        timer=timers.call_later,
        random=Random(1),  # noqa: S311  no secrets
        lane=lanes.__getitem__,
        share=1,
    )
    queue.add("x")
    key = await queue.take()
    lanes["x"] = "two"
    queue.add("x")
    assert queue.depth == 1
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 0.01)
    queue.done(key)
    assert await queue.take() == "x"


async def test_a_closed_queue_ends_its_workers(queue: KeyedQueue[str]):
    worker = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.close()
    with pytest.raises(QueueClosedError):
        await asyncio.wait_for(worker, 60)
