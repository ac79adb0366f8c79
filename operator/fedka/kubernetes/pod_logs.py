"""A pod's log, line by line, over broken connections.

The lines are asked for with their times, so that a log that was cut goes on behind the last line told: proxies end
quiet connections after a minute or two, and a participant that trains says nothing for longer.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fedka.kubernetes.api import Api, path_of
from fedka.reconcile.ports import POD, ClusterUnavailable

AGAIN_SECONDS = 1.0


class PodLogs:
    """Logs by the API server. The owner of `api` closes it."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def lines(
        self, namespace: str, pod: str, *, follow: bool = False, tail: int | None = None
    ) -> AsyncGenerator[str, None]:
        """The lines of a pod's container, the last `tail` or all; with `follow` until the container has ended.

        Use `contextlib.aclosing`. Raises a ClusterError; `Invalid` while the container has not started.
        """
        query = {"timestamps": "true"} | ({"tailLines": str(tail)} if tail is not None else {})
        last = told = ""
        while True:
            asked = query | ({"follow": "true"} if follow else {}) | ({"sinceTime": last} if last else {})
            try:
                async with aclosing(self._api.lines(path_of(POD, namespace, pod, "log"), query=asked)) as raw:
                    async for line in raw:
                        stamp, _, text = line.decode(errors="replace").rstrip("\n").partition(" ")
                        last = stamp
                        if stamp > told:
                            yield text
            except ClusterUnavailable:
                if not follow:
                    raise
                query.pop("tailLines", None)
                told = last  # `sinceTime` counts in seconds, and gives some lines again
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return
