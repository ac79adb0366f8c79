"""One collection watched for as long as somebody wants to know: listed, followed, and taken up again when cut.

A LIST says at which version the WATCH has to begin, so nothing falls in between. After a break the watch goes on from
the last version heard of; where the server has forgotten that (410), a new LIST is compared with what was known, and
what has gone meanwhile is told as DELETED.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Any

from fedka.kubernetes.answers import VersionGone, refusal
from fedka.kubernetes.api import Api
from fedka.kubernetes.decoding import decoded
from fedka.kubernetes.lines import CUT, LONGEST_LINE
from fedka.kubernetes.listing import NOT_OURS, Collection, pages
from fedka.reconcile.ports import ClusterError, ClusterUnavailable, EventType, WatchEvent

LOGGER = logging.getLogger("fedka.kubernetes")
WATCH_SECONDS = 290  # the server ends a watch after that long; below the five minutes that it remembers versions
FIRST_BREAK_SECONDS = 0.2
LONGEST_BREAK_SECONDS = 10.0
CHANGES = (*EventType, "BOOKMARK")

Json = dict[str, Any]


class ChangeTooLong(ClusterError):
    """An object is larger than any that an API server takes: whatever answers, it is none, or not ours."""


class NoChange(ClusterUnavailable):
    """What the watch has told is none that an API server tells of: a proxy in between may answer in its own way."""


def _copy(obj: Json) -> Json:
    """What is told belongs to the reader, what is known to the watch."""
    copied: Json = json.loads(json.dumps(obj))
    return copied


class Watched:
    """Follows one collection. It waits for `tell` before it reads on. `keep` makes of an object what is told when it is
    found gone, with its uid and resourceVersion at least; `listed` is called each time all there is has been told.
    """

    def __init__(
        self,
        api: Api,
        collection: Collection,
        tell: Callable[[WatchEvent], Awaitable[None]],
        *,
        keep: Callable[[Json], Json] = _copy,
        listed: Callable[[], None] = lambda: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._api = api
        self._collection = collection
        self._tell = tell
        self._keep = keep
        self._listed = listed
        self._sleep = sleep
        self._known: dict[str, Json] = {}
        self._version = ""  # to go on from; empty where everything is to be listed again
        self._heard = False  # whether the connection that stands has told anything

    async def run(self) -> None:
        """Until cancelled. Raises a ClusterError for what asking again does not mend; run again, it lists anew."""
        pause = FIRST_BREAK_SECONDS
        while True:
            self._heard = False
            try:
                if not self._version:
                    self._version = await self._list()
                    self._listed()
                await self._follow()
            except VersionGone:
                self._version = ""
                continue
            except ClusterUnavailable as error:
                LOGGER.info("the watch of %s is taken up again: %s", self._collection.kind.plural, error)
            except ClusterError:
                self._version = ""
                raise
            if self._heard:
                pause = FIRST_BREAK_SECONDS
            await self._sleep(pause)  # after an end in order, too: a proxy may answer at once, and with nothing
            pause = min(LONGEST_BREAK_SECONDS, pause * 2)

    async def _list(self) -> str:
        """Tell what differs from what is known; the version of it all."""
        version, found = "", set()
        async with aclosing(pages(self._api, self._collection)) as each:
            async for page in each:
                version = page.version
                for item in page.items:
                    found.add(item["metadata"]["uid"])
                    await self._note(item)
        for uid in self._known.keys() - found:
            await self._tell(WatchEvent(EventType.DELETED, self._collection.kind, self._known.pop(uid)))
        return version

    async def _note(self, item: Json) -> None:
        known = self._known.get(item["metadata"]["uid"])
        if known is not None and known["metadata"]["resourceVersion"] == item["metadata"]["resourceVersion"]:
            return
        self._known[item["metadata"]["uid"]] = self._keep(item)
        type_ = EventType.ADDED if known is None else EventType.MODIFIED
        await self._tell(WatchEvent(type_, self._collection.kind, item))

    async def _follow(self) -> None:
        """Tell changes until the server ends the watch, or it is cut."""
        query = self._collection.query | {
            "watch": "true",
            "allowWatchBookmarks": "true",  # keep the version young where nothing happens
            "resourceVersion": self._version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        async with aclosing(self._api.lines(self._collection.path, query=query)) as lines:
            async for line in lines:
                if line.endswith(CUT):
                    raise ChangeTooLong(
                        f"the watch of {self._collection.kind.plural} tells of an object of more than "
                        f"{LONGEST_LINE >> 20} MiB: {NOT_OURS}"
                    )
                if line.endswith(b"\n"):  # or the connection was cut, and the same change is told again
                    self._version = await self._take(self._read(line))
                    self._heard = True

    def _read(self, line: bytes) -> Json:
        """A change that tells of an object or a version. Raises NoChange, or what an ERROR says."""
        try:
            change: Json = decoded(line)
            type_, obj = change["type"], change["object"]
            if type_ == "ERROR":
                code = HTTPStatus(obj.get("code") or HTTPStatus.INTERNAL_SERVER_ERROR)
                raise refusal(code, json.dumps(obj).encode(), "WATCH")
            named = () if type_ == "BOOKMARK" else ("uid", "name")
            if type_ in CHANGES and all(isinstance(obj["metadata"][each], str) for each in ("resourceVersion", *named)):
                return change
        except (ValueError, LookupError, TypeError, AttributeError):
            pass  # the same as what says nothing
        raise NoChange(f"the watch of {self._collection.kind.plural} tells what is no change: {NOT_OURS}")

    async def _take(self, change: Json) -> str:
        obj = change["object"]
        version: str = obj["metadata"]["resourceVersion"]
        if change["type"] == "BOOKMARK":
            return version
        uid = obj["metadata"]["uid"]
        if change["type"] == EventType.DELETED:
            self._known.pop(uid, None)
            await self._tell(WatchEvent(EventType.DELETED, self._collection.kind, obj))
        else:
            type_ = EventType.MODIFIED if uid in self._known else EventType.ADDED
            self._known[uid] = self._keep(obj)
            await self._tell(WatchEvent(type_, self._collection.kind, obj))
        return version
