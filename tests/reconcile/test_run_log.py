"""The bounded way from a client's thread into the event loop."""

import asyncio
import threading

from fedka.kafka.log_record import LogRecord
from fedka.reconcile.run_log import Handover

GENEROUS_SECONDS = 60


def record(offset: int) -> LogRecord:
    return LogRecord("journal", 0, offset, 0, b"")


async def test_records_arrive_in_order_and_in_the_loop():
    received: list[int] = []
    threads: set[int] = set()
    complete = asyncio.Event()

    def deliver(records: list[LogRecord]) -> None:
        threads.add(threading.get_ident())
        received.extend(each.offset for each in records)
        if len(received) == 5000:
            complete.set()

    handover = Handover(asyncio.get_running_loop(), deliver, limit=100)
    thread = threading.Thread(target=lambda: [handover.put(record(number)) for number in range(5000)])
    thread.start()
    await asyncio.wait_for(complete.wait(), GENEROUS_SECONDS)
    thread.join()
    assert received == list(range(5000))
    assert threads == {threading.get_ident()}


async def test_a_full_handover_holds_the_thread_until_it_is_closed():
    received: list[LogRecord] = []
    full, done = threading.Event(), threading.Event()
    handover = Handover(asyncio.get_running_loop(), received.extend, limit=2)

    def fill() -> None:
        handover.put(record(0))
        handover.put(record(1))
        full.set()
        handover.put(record(2))
        done.set()

    thread = threading.Thread(target=fill)
    thread.start()
    assert full.wait(GENEROUS_SECONDS)  # blocks the loop, so nothing is taken out
    assert not done.is_set()
    handover.close()
    assert done.wait(GENEROUS_SECONDS)
    thread.join()
    await asyncio.sleep(0)
    assert received == []


async def test_a_closed_handover_calls_nobody():
    called: list[str] = []
    handover = Handover(asyncio.get_running_loop(), lambda _records: called.append("record"))
    handover.call(lambda: called.append("trouble"))
    handover.put(record(0))
    handover.close()
    for _ in range(3):
        await asyncio.sleep(0)
    assert called == []
