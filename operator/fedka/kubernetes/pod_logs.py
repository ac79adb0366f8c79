"""A pod's log, line by line, over broken connections.

Proxies end quiet connections after a minute or two, kubelets and API servers are restarted, and a participant that
trains says nothing for longer. A connection that was ended in order looks like a log that has ended, so the pod is
asked whether it is over. The lines come with their times, by which a log goes on where it was cut.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fedka.kubernetes.api import Api, path_of
from fedka.plan.names import LABEL_ROLE
from fedka.reconcile.ports import POD, ClusterUnavailable

AGAIN_SECONDS = 1.0
SECOND = len("2026-01-01T00:00:00")
SECONDS_KEPT = 2  # lines of stdout and stderr may overtake each other by a little


class PodLogs:
    """Logs by the API server. The owner of `api` closes it."""

    def __init__(self, api: Api, *, again_seconds: float = AGAIN_SECONDS) -> None:
        self._api = api
        self._again_seconds = again_seconds

    async def lines(
        self, namespace: str, pod: str, *, follow: bool = False, tail: int | None = None
    ) -> AsyncGenerator[str, None]:
        """The lines of the container that Fedka made, the last `tail` or all; with `follow` until it has ended.

        Use `contextlib.aclosing`. Raises a ClusterError; `Invalid` while the container has not started, `NotFound`
        once the pod has gone.
        """
        found = await self._pod(namespace, pod)
        container = (found["metadata"].get("labels") or {}).get(LABEL_ROLE)  # a template may have added others
        query = {"timestamps": "true", "follow": str(follow).lower()} | ({"container": container} if container else {})
        told, over = _Told(last_lines=tail is not None), not follow
        while True:
            where = told.go_on() or ({"tailLines": str(tail)} if tail is not None else {})
            unfinished = b""
            try:
                async with aclosing(self._api.lines(path_of(POD, namespace, pod, "log"), query=query | where)) as raw:
                    async for line in raw:
                        if not line.endswith(b"\n"):
                            unfinished = line
                        elif (text := told.take(line)) is not None:
                            yield text
                if over:
                    break
                over = _is_over(await self._pod(namespace, pod), container)  # what it said meanwhile is asked for again
            except ClusterUnavailable:
                if not follow:
                    raise
            if not over:
                await asyncio.sleep(self._again_seconds)
        if unfinished and (text := told.take(unfinished)) is not None:
            yield text

    async def _pod(self, namespace: str, name: str) -> dict[str, Any]:
        return await self._api.send("GET", path_of(POD, namespace, name))


class _Told:
    """What has been told of a log's last two seconds: the server counts in seconds, and gives those lines again; and,
    of a log whose `last_lines` were asked for, some that come before them.
    """

    def __init__(self, *, last_lines: bool) -> None:
        self._last_lines = last_lines
        self._first = ""
        self._seconds: dict[str, Counter[str]] = {}
        self._again: Counter[str] = Counter()

    def go_on(self) -> dict[str, str]:
        """What to ask for where the log was cut; nothing, if no line has been told."""
        if not self._seconds:
            return {}
        self._again = sum(self._seconds.values(), Counter())
        oldest = next(iter(self._seconds.values()))
        return {"sinceTime": re.sub(r"\.\d+", "", next(iter(oldest)))}

    def take(self, line: bytes) -> str | None:
        """The text of a line; None of one that has been told."""
        stamp, _, text = line.decode(errors="replace").removesuffix("\n").partition(" ")
        if self._again[stamp]:
            self._again[stamp] -= 1
            return None
        if self._last_lines:
            self._first = self._first or stamp
            if stamp < self._first:
                return None
        self._seconds.setdefault(stamp[:SECOND], Counter())[stamp] += 1
        if len(self._seconds) > SECONDS_KEPT:
            del self._seconds[next(iter(self._seconds))]
        return text


def _is_over(pod: dict[str, Any], container: str | None) -> bool:
    """Whether its container has ended: one of ours is never started again."""
    status = pod.get("status") or {}
    ours = [each for each in status.get("containerStatuses") or () if each["name"] == container]
    return status.get("phase") in {"Succeeded", "Failed"} or any(
        "terminated" in (each.get("state") or {}) for each in ours
    )
