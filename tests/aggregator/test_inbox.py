import queue
import threading

import pytest

from fedka.aggregator.events import Interrupted, SpecSeen
from fedka.aggregator.inbox import Bound, Inbox

from .runs import spec

PATIENCE = 60.0
EVENT = SpecSeen(spec())


def filled(inbox: Inbox, bound: Bound, *sizes: int) -> tuple[threading.Thread, list[int]]:
    """A thread that puts events of these sizes, and the sizes that it has put."""
    source, done = inbox.source(bound), []

    def fill() -> None:
        for size in sizes:
            source(EVENT, size)
            done.append(size)

    thread = threading.Thread(target=fill)
    thread.start()
    return thread, done


@pytest.mark.parametrize(
    ("bound", "sizes", "fit"),
    [
        (Bound(events=2, bytes=1000), [1, 1, 1, 1], 2),
        (Bound(events=100, bytes=1000), [400, 400, 400, 400], 2),
        (Bound(events=100, bytes=1000), [5000, 5000], 1),
    ],
    ids=["too many", "too large together", "too large each"],
)
def test_a_source_waits_until_its_events_are_handled(bound: Bound, sizes: list[int], fit: int) -> None:
    inbox = Inbox()
    thread, done = filled(inbox, bound, *sizes)
    for handled in range(len(sizes)):
        inbox.get(timeout=PATIENCE)
        assert len(done) <= handled + 1 + fit
    thread.join(PATIENCE)
    assert done == sizes
    with pytest.raises(queue.Empty):
        inbox.get(timeout=0)


def test_our_own_events_never_wait_for_a_source_that_is_full() -> None:
    inbox = Inbox()
    thread, _ = filled(inbox, Bound(events=1, bytes=1), 1, 1)
    inbox.put(Interrupted())
    kinds = {type(inbox.get(timeout=PATIENCE)) for _ in range(3)}
    assert kinds == {SpecSeen, Interrupted}
    thread.join(PATIENCE)


def test_closing_lets_a_source_go() -> None:
    inbox = Inbox()
    thread, _ = filled(inbox, Bound(events=1, bytes=1), 1, 1)
    inbox.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
