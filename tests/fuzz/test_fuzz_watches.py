"""What an API server, or whoever answers in its place, tells in a watch: understood, or refused by name."""

import asyncio
import json
from typing import Any

from fedka.kubernetes.listing import Collection
from fedka.kubernetes.watching import Watched
from fedka.reconcile.ports import POD, ClusterError, WatchEvent

from ..kubernetes.test_watching import GONE, ScriptedApi, listed, pod
from .mutation import cases

BOOKMARK = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "20"}}}
CHANGES = [{"type": type_, "object": pod("one", 11)} for type_ in ("ADDED", "MODIFIED", "DELETED")]


class TakenUpAgain(Exception):
    """What would be waited for."""


async def heard(line: bytes) -> list[WatchEvent]:
    """What one watch makes of it until it is taken up again. Raises a ClusterError where it ends."""

    async def again(_seconds: float) -> None:
        raise TakenUpAgain

    queue: asyncio.Queue[WatchEvent] = asyncio.Queue()
    api: Any = ScriptedApi([listed(), listed()], [[line]])
    following = asyncio.ensure_future(Watched(api, Collection(POD), queue.put, sleep=again).run())
    idle = asyncio.ensure_future(api.idle.wait())
    await asyncio.wait([following, idle], return_when=asyncio.FIRST_COMPLETED)
    for each in (following, idle):
        each.cancel()
    for result in await asyncio.gather(following, idle, return_exceptions=True):
        if isinstance(result, Exception) and not isinstance(result, TakenUpAgain):
            raise result
    return [queue.get_nowait() for _ in range(queue.qsize())]


def test_a_line_of_a_watch_tells_of_a_change_or_of_nothing(count: int) -> None:
    corpus = [json.dumps(change).encode() for change in (*CHANGES, BOOKMARK, GONE)]
    told, reasons = 0, list[str]()

    async def hear_all() -> None:
        nonlocal told
        for seed, data in cases("a watch", count, corpus):
            try:
                events = await heard(data.replace(b"\n", b" ") + b"\n")
            except ClusterError as error:
                reasons.append(str(error))
            except Exception as error:
                raise AssertionError(f"{seed}: {error!r}") from error
            else:
                told += len(events)
                assert all(isinstance(event.object["metadata"]["name"], str) for event in events)

    asyncio.run(hear_all())
    assert told > count // 50, "the mutations leave nothing to tell"
    assert reasons
    assert all(reasons)
