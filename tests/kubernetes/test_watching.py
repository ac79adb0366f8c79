"""A watch that is cut, or that comes too late, tells all the same what there is in the end."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from fedka.kubernetes.answers import VersionGone
from fedka.kubernetes.cluster import KubernetesCluster
from fedka.kubernetes.lines import CUT
from fedka.kubernetes.listing import Collection
from fedka.kubernetes.watching import ChangeTooLong, Watched
from fedka.reconcile.ports import POD, SECRET, ClusterError, ClusterUnavailable, Forbidden, NotFound, WatchEvent

GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version"}}


def pod(name: str, version: int = 1) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "a", "uid": f"uid-{name}", "resourceVersion": str(version)}}


@dataclass
class ScriptedApi:
    """LISTs and WATCHes answered in turn; an exception is raised; after the last watch nothing more happens."""

    lists: Sequence[Any]
    watches: Sequence[Any]
    asked: list[Mapping[str, str]] = field(default_factory=list)
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, _method: str, _path: str, *, query: Mapping[str, str], **_: Any) -> dict[str, Any]:
        self.asked.append(query)
        answer, *self.lists = self.lists
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def lines(self, _path: str, *, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        self.asked.append(query)
        if not self.watches:
            self.idle.set()
            await asyncio.Event().wait()
        changes, *self.watches = self.watches
        for change in changes:
            if isinstance(change, Exception):
                raise change
            yield change if isinstance(change, bytes) else json.dumps(change).encode() + b"\n"


def listed(*items: dict[str, Any], version: int = 10, **metadata: str) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": str(version), **metadata}, "items": list(items)}


async def told(api: ScriptedApi, count: int) -> list[tuple[str, str]]:
    seen = []
    async with asyncio.timeout(60), contextlib.aclosing(KubernetesCluster(api).watch([POD])) as changes:
        async for event in changes:
            seen.append((str(event.type), event.object["metadata"]["name"]))
            if len(seen) == count:
                break
    return seen


async def test_a_watch_goes_on_from_the_version_of_the_list():
    api = ScriptedApi([listed(pod("one"))], [[{"type": "ADDED", "object": pod("two", 11)}]])
    assert await told(api, 2) == [("ADDED", "one"), ("ADDED", "two")]
    assert api.asked[1]["resourceVersion"] == "10"


async def test_a_watch_that_ends_goes_on_from_the_last_version():
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "20"}}}
    api = ScriptedApi([listed(pod("one"))], [[bookmark], [{"type": "MODIFIED", "object": pod("one", 21)}]])
    assert await told(api, 2) == [("ADDED", "one"), ("MODIFIED", "one")]
    assert api.asked[2]["resourceVersion"] == "20"


async def test_a_watch_that_is_cut_is_taken_up_again():
    cut = ClusterUnavailable("connection reset")
    api = ScriptedApi([listed()], [[cut], [{"type": "ADDED", "object": pod("one", 11)}]])
    assert await told(api, 1) == [("ADDED", "one")]


@pytest.mark.parametrize("line", [b"<html>log in</html>", b"{}", b"[]", b"null", b'{"type": "ADDED", "object": {}}'])
async def test_what_is_no_change_is_passed_over_and_the_watch_taken_up_again(line: bytes):
    """A proxy in between may answer in its own way, for a while."""
    added = {"type": "ADDED", "object": pod("one", 11)}
    api = ScriptedApi([listed()], [[line + b"\n"], [added]])
    assert await told(api, 1) == [("ADDED", "one")]
    assert api.asked[2]["resourceVersion"] == "10"


async def test_a_change_that_is_cut_in_the_middle_is_told_when_it_is_whole():
    added = {"type": "ADDED", "object": pod("one", 11)}
    api = ScriptedApi([listed()], [[json.dumps(added).encode()[:20]], [added]])
    assert await told(api, 1) == [("ADDED", "one")]
    assert api.asked[2]["resourceVersion"] == "10"


async def test_a_server_that_stays_away_is_asked_ever_more_rarely():
    pauses: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 10:
            enough.set()
            await asyncio.Event().wait()

    away = [[ClusterUnavailable("connection refused")]] * 3 + [[]] * 5  # an end in order that told nothing is no better
    api = ScriptedApi([listed()], [*away, [{"type": "ADDED", "object": pod("one", 11)}], []])
    queue: asyncio.Queue[WatchEvent] = asyncio.Queue()
    watching = asyncio.ensure_future(Watched(api, Collection(POD), queue.put, sleep=sleep).run())
    async with asyncio.timeout(60):
        await enough.wait()
    watching.cancel()
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 0.2, 0.4]


async def test_what_has_gone_while_the_version_was_forgotten_is_told_as_deleted():
    lists = [listed(pod("one"), pod("two")), listed(pod("two", 30), pod("three"), version=31)]
    api = ScriptedApi(lists, [[GONE]])
    assert await told(api, 5) == [
        ("ADDED", "one"),
        ("ADDED", "two"),
        ("MODIFIED", "two"),
        ("ADDED", "three"),
        ("DELETED", "one"),
    ]


async def test_what_is_unchanged_after_a_new_list_is_not_told_again():
    api = ScriptedApi([listed(pod("one")), listed(pod("one"), pod("two"))], [[GONE]])
    assert await told(api, 2) == [("ADDED", "one"), ("ADDED", "two")]


async def test_a_list_that_fails_is_tried_again():
    api = ScriptedApi([ClusterUnavailable("away"), listed(pod("one"))], [])
    assert await told(api, 1) == [("ADDED", "one")]


async def test_a_list_comes_page_by_page():
    api = ScriptedApi([listed(pod("one"), **{"continue": "next"}), listed(pod("two"))], [])
    assert await told(api, 2) == [("ADDED", "one"), ("ADDED", "two")]
    assert api.asked[1]["continue"] == "next"


async def test_a_page_that_comes_too_late_goes_on_by_the_token_given():
    lists = [listed(pod("one"), **{"continue": "late"}), VersionGone("expired", "newer"), listed(pod("two"))]
    api = ScriptedApi(lists, [])
    assert await told(api, 2) == [("ADDED", "one"), ("ADDED", "two")]
    assert api.asked[2]["continue"] == "newer"


async def test_what_is_forbidden_ends_the_watch():
    api = ScriptedApi([Forbidden("pods is forbidden")], [])
    with pytest.raises(Forbidden):
        await told(api, 1)


async def test_all_means_the_namespaces_given():
    paths: list[str] = []

    class Noted(ScriptedApi):
        async def send(self, method: str, path: str, **more: Any) -> dict[str, Any]:
            paths.append(path)
            return await super().send(method, path, **more)

    api = Noted([listed(pod("one")), listed(pod("two"))], [])
    found = await KubernetesCluster(api, namespaces=("a", "b")).list(POD)
    assert [item["metadata"]["name"] for item in found] == ["one", "two"]
    assert paths == ["/api/v1/namespaces/a/pods", "/api/v1/namespaces/b/pods"]


async def test_a_selector_narrows_its_kind_only():
    api = ScriptedApi([listed(), listed()], [])
    cluster = KubernetesCluster(api, selectors={POD: "fedka.dev/training-uid"})
    await cluster.list_metadata(POD)
    await cluster.list_metadata(SECRET)
    assert [query.get("labelSelector") for query in api.asked] == ["fedka.dev/training-uid", None]


async def test_a_list_of_metadata_leaves_out_who_owns_which_field():
    owned = pod("one")
    owned["metadata"]["managedFields"] = [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}]
    found = await KubernetesCluster(ScriptedApi([listed(owned)], [])).list_metadata(POD)
    assert found.objects == [{"metadata": pod("one")["metadata"]}]


async def test_whether_a_kind_may_be_listed_is_asked_in_each_place_for_one_object():
    api = ScriptedApi([Forbidden("pods is forbidden"), listed(pod("one"))], [])
    await KubernetesCluster(api, namespaces=("a", "b")).check_listing(POD)
    assert [query["limit"] for query in api.asked] == ["1", "1"]


async def test_a_kind_that_may_be_listed_nowhere_is_refused():
    api = ScriptedApi([Forbidden("not in a"), Forbidden("not in b")], [])
    with pytest.raises(Forbidden, match="not in a"):
        await KubernetesCluster(api, namespaces=("a", "b")).check_listing(POD)


async def test_a_kind_that_does_not_exist_is_told_from_one_that_may_not_be_listed():
    api = ScriptedApi([Forbidden("not in a"), NotFound("there are no pods")], [])
    with pytest.raises(NotFound):
        await KubernetesCluster(api, namespaces=("a", "b")).check_listing(POD)


@pytest.mark.parametrize("refusal", [Forbidden("not in a"), NotFound("there are no pods")])
async def test_a_namespace_that_may_not_be_listed_is_not_taken_for_empty(refusal: ClusterError):
    api = ScriptedApi([refusal, listed(pod("one"))], [])
    found = await KubernetesCluster(api, namespaces=("a", "b")).list_metadata(POD)
    assert [item["metadata"]["name"] for item in found.objects] == ["one"]
    assert found.withheld == {"a"}


async def test_what_may_not_be_listed_in_all_namespaces_at_once_is_an_error():
    with pytest.raises(Forbidden):
        await KubernetesCluster(ScriptedApi([Forbidden("nowhere")], [])).list_metadata(POD)


async def test_a_change_that_is_too_long_to_be_one_ends_the_watch():
    with pytest.raises(ChangeTooLong, match="pods tells of an object of more than 16 MiB"):
        await told(ScriptedApi([listed()], [[b'{"type": "ADDED", "object' + CUT]]), 1)
