"""The `Cluster` port on a real Kubernetes API."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, Literal

from fedka.kubernetes.api import APPLY, JSON_PATCH, JSON_TYPE, MERGE_PATCH, METADATA_ONLY, Api, path_of
from fedka.kubernetes.listing import Collection, pages
from fedka.kubernetes.watching import Watched
from fedka.reconcile.event_objects import event_object, seen_again
from fedka.reconcile.ports import (
    EVENT,
    KINDS,
    AlreadyExists,
    Cause,
    Conflict,
    Forbidden,
    Invalid,
    Kind,
    Listing,
    NotFound,
    Object,
    WatchEvent,
)

Json = dict[str, Any]

WATCH_BACKLOG = 1000  # changes on their way to a slow reader: after that the server has to wait

_SERVERS_OWN = ("managedFields", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


class KubernetesCluster:
    """Requests by plain paths. `namespaces` narrows what "all" means to these, `selectors` does so by labels, per kind.

    `reporter` and `instance` sign events. The owner of `api` closes it.
    """

    def __init__(
        self,
        api: Api,
        *,
        namespaces: Sequence[str] = (),
        selectors: Mapping[Kind, str] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        reporter: str = "fedka-operator",
        instance: str = "fedka-operator",
    ) -> None:
        self._api = api
        self._namespaces = tuple(namespaces)
        self._selectors = dict(selectors or {})
        self._clock = clock
        self._reporter = reporter
        self._instance = instance

    async def get(self, kind: Kind, namespace: str | None, name: str) -> Json:
        """See `Cluster.get`."""
        return await self._api.send("GET", path_of(kind, namespace, name))

    async def list(
        self, kind: Kind, *, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[Json]:
        """See `Cluster.list`."""
        return await _listed(self._api, self._collections(kind, namespace, labels or {}), JSON_TYPE)

    async def list_metadata(self, kind: Kind) -> Listing:
        """See `Cluster.list_metadata`."""
        found: list[Json] = []
        withheld: set[str] = set()
        for each in self._collections(kind, None, {}):
            try:
                found += await _listed(self._api, [each], METADATA_ONLY, _of_interest)
            except (Forbidden, NotFound):
                if each.namespace is None:
                    raise
                withheld.add(each.namespace)
        return Listing(found, frozenset(withheld))

    async def check_listing(self, kind: Kind) -> None:
        """Raises NotFound where there is no such kind, Forbidden where it may be listed nowhere, or another
        ClusterError.
        """
        refused: list[Forbidden] = []
        asked = self._collections(kind, None, {})
        for each in asked:
            try:
                await self._api.send("GET", each.path, query=each.query | {"limit": "1"}, accept=METADATA_ONLY)
            except Forbidden as error:
                refused.append(error)
        if len(refused) == len(asked):
            raise refused[0]

    async def create(self, obj: Object, *, field_manager: str) -> Json:
        """See `Cluster.create`."""
        path = path_of(_kind_of(obj), obj["metadata"].get("namespace"))
        query = {
            "fieldManager": field_manager,
            "fieldValidation": "Strict",  # a member misspelt in a user's pod template would be dropped in silence
        }
        return await self._api.send("POST", path, query=query, body=obj)

    async def apply(self, obj: Object, *, field_manager: str) -> Json:
        """See `Cluster.apply`."""
        metadata = {key: value for key, value in obj["metadata"].items() if key not in _SERVERS_OWN}
        return await self._apply(dict(obj) | {"metadata": metadata}, field_manager)

    async def apply_status(self, obj: Object, *, field_manager: str) -> Json:
        """See `Cluster.apply_status`."""
        metadata = obj["metadata"]
        if not metadata.get("resourceVersion"):
            raise ValueError("a status write needs metadata.resourceVersion, or it may land on a namesake")
        identity = {key: metadata[key] for key in ("name", "namespace", "resourceVersion") if key in metadata}
        sent = {key: obj[key] for key in ("apiVersion", "kind")} | {"metadata": identity}
        return await self._apply(sent | {"status": obj.get("status", {})}, field_manager, "status")

    async def add_finalizer(
        self, kind: Kind, namespace: str | None, name: str, *, uid: str, finalizer: str, field_manager: str
    ) -> Json:
        """See `Cluster.add_finalizer`."""
        metadata = {"name": name, "uid": uid, "finalizers": [finalizer]}
        if namespace:
            metadata["namespace"] = namespace
        sent = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
        return await self._apply(sent, field_manager)

    async def remove_finalizer(
        self, kind: Kind, namespace: str | None, name: str, *, uid: str, finalizer: str, known: Sequence[str]
    ) -> Json:
        """See `Cluster.remove_finalizer`. An apply would take off only what this manager alone has put there."""
        at = "/metadata/finalizers"
        changes = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "test", "path": at, "value": list(known)},
            {"op": "replace", "path": at, "value": [each for each in known if each != finalizer]},
        ]
        try:
            return await self._api.send("PATCH", path_of(kind, namespace, name), body=changes, content_type=JSON_PATCH)
        except Invalid as error:
            raise Conflict(f"{kind} {name} has other finalizers by now, or is another: {error}") from error

    async def delete(self, kind: Kind, namespace: str | None, name: str, *, uid: str) -> None:
        """See `Cluster.delete`."""
        options = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        await self._api.send("DELETE", path_of(kind, namespace, name), body=options)

    async def watch(self, kinds: Sequence[Kind]) -> AsyncGenerator[WatchEvent, None]:
        """See `Cluster.watch`."""
        changes: asyncio.Queue[WatchEvent] = asyncio.Queue(WATCH_BACKLOG)
        collections = [each for kind in kinds for each in self._collections(kind, None, {})]
        watching = [asyncio.create_task(Watched(self._api, each, changes.put).run()) for each in collections]
        coming = asyncio.create_task(changes.get())
        try:
            while True:
                tasks: list[asyncio.Task[Any]] = [*watching, coming]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for ended in watching:
                    if ended.done():
                        ended.result()
                if coming.done():
                    event = coming.result()
                    coming = asyncio.create_task(changes.get())
                    yield event
        finally:
            for task in (*watching, coming):
                task.cancel()
            await asyncio.gather(*watching, coming, return_exceptions=True)

    async def record_event(
        self,
        regarding: Object,
        *,
        severity: Literal["Normal", "Warning"],
        reason: str,
        action: str,
        note: str,
    ) -> None:
        """See `Cluster.record_event`. What was said before is patched, which needs no right to read events."""
        event = event_object(
            regarding,
            severity=severity,
            reason=reason,
            action=action,
            note=note,
            reporter=self._reporter,
            instance=self._instance,
            now=self._clock(),
        )
        try:
            await self.create(event, field_manager=self._reporter)
        except AlreadyExists:
            path = path_of(EVENT, event["metadata"]["namespace"], event["metadata"]["name"])
            live = await self._api.send("PATCH", path, body={}, content_type=MERGE_PATCH)
            counted = {"series": seen_again(live, self._clock())["series"]}
            await self._api.send("PATCH", path, body=counted, content_type=MERGE_PATCH)

    async def _apply(self, obj: Object, field_manager: str, subresource: str | None = None) -> Json:
        metadata = obj["metadata"]
        path = path_of(_kind_of(obj), metadata.get("namespace"), metadata["name"], subresource)
        query = {"fieldManager": field_manager, "force": "true"}
        return await self._api.send("PATCH", path, query=query, body=obj, content_type=APPLY)

    def _collections(self, kind: Kind, namespace: str | None, labels: Mapping[str, str]) -> Sequence[Collection]:
        """Where objects of a kind are asked for: once for all namespaces, or once in each of those that count."""
        wanted = (self._selectors.get(kind, ""), *(f"{key}={value}" for key, value in labels.items()))
        selector = ",".join(part for part in wanted if part)
        places: Sequence[str | None] = (namespace,) if namespace else self._namespaces or (None,)
        return [Collection(kind, place, selector) for place in (places if kind.namespaced else (None,))]


async def _listed(
    api: Api, collections: Sequence[Collection], accept: str, part: Callable[[Json], Json] = lambda item: item
) -> list[Json]:
    found: list[Json] = []
    for collection in collections:
        async with aclosing(pages(api, collection, accept=accept)) as each:
            async for page in each:
                found += map(part, page.items)
    return found


def _of_interest(item: Json) -> Json:
    """Who owns which field takes thirty times the memory of all other metadata."""
    return {"metadata": {name: value for name, value in item["metadata"].items() if name != "managedFields"}}


def _kind_of(obj: Object) -> Kind:
    kind = KINDS.get(obj.get("kind", ""))
    if kind is None or kind.api_version != obj.get("apiVersion"):
        raise Invalid(
            "the object", [Cause("kind", f"no kind {obj.get('kind')!r} in {obj.get('apiVersion')!r} is known")]
        )
    return kind
