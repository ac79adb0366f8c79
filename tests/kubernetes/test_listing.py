"""Pages of a list: as many objects as fit into the memory that there is for one."""

import json
from contextlib import aclosing
from itertools import chain
from typing import Any

import pytest
from aiohttp import web

from fedka.kubernetes.answers import AnswerTooLong
from fedka.kubernetes.listing import PAGE, PAGE_BYTES, Collection, pages
from fedka.reconcile.ports import FEDERATED_TRAINING, ClusterUnavailable

from .servers import answering

MIB = 2**20


class Server:
    """Objects of these sizes, in pages as they are asked for."""

    def __init__(self, *sizes: int) -> None:
        self.sizes = sizes
        self.limits: list[int] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        limit, first = int(request.query["limit"]), int(request.query.get("continue", "0"))
        self.limits.append(limit)
        last = min(len(self.sizes), first + limit)
        names = {"name": "one", "resourceVersion": "1"}
        items = [{"metadata": {"uid": str(each)} | names, "x": "x" * self.sizes[each]} for each in range(first, last)]
        metadata = {"resourceVersion": "1"} | ({"continue": str(last)} if last < len(self.sizes) else {})
        return web.Response(text=json.dumps({"metadata": metadata, "items": items}), content_type="application/json")


async def listed(server: Server) -> list[list[str]]:
    """UIDs, page for page."""
    async with answering(server.answer) as api, aclosing(pages(api, Collection(FEDERATED_TRAINING))) as each:
        return [[item["metadata"]["uid"] for item in page.items] async for page in each]


async def test_small_objects_come_by_the_hundred():
    server = Server(*[1000] * 250)
    assert [len(page) for page in await listed(server)] == [100, 100, 50]
    assert server.limits == [PAGE] * 3


async def test_large_ones_come_in_pages_of_so_many_bytes_and_each_once():
    server = Server(*[MIB] * 20)
    found = await listed(server)
    assert list(chain.from_iterable(found)) == [str(number) for number in range(20)]
    assert {len(page) * MIB <= PAGE_BYTES for page in found} == {True}
    assert server.limits[:6] == [100, 50, 25, 12, 6, 3]
    assert set(server.limits[6:]) == {3}


async def test_one_that_is_larger_than_a_page_comes_alone():
    server = Server(10, PAGE_BYTES + 1, 10)
    assert await listed(server) == [["0"], ["1"], ["2"]]


async def test_one_that_no_api_server_has_is_refused():
    with pytest.raises(AnswerTooLong, match="more than 16 MiB"):
        await listed(Server(10, 17 * MIB, 10))


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "Status", "code": 200},
        {"metadata": None, "items": []},
        {"metadata": {}, "items": []},
        {"metadata": {"resourceVersion": 1}, "items": []},
        {"metadata": {"resourceVersion": "1", "continue": 1}, "items": []},
        {"metadata": {"resourceVersion": "1"}, "items": 1},
        {"metadata": {"resourceVersion": "1"}, "items": [1]},
        {"metadata": {"resourceVersion": "1"}, "items": [{"metadata": {"name": "one", "resourceVersion": "1"}}]},
        {"metadata": {"resourceVersion": "1"}, "items": [{"metadata": {"name": 1, "uid": 1, "resourceVersion": 1}}]},
    ],
)
async def test_what_is_no_list_is_no_answer_of_an_api_server(answer: dict[str, Any]):
    async def answered(_request: web.Request) -> web.StreamResponse:
        return web.json_response(answer)

    async with answering(answered) as api, aclosing(pages(api, Collection(FEDERATED_TRAINING))) as each:
        with pytest.raises(ClusterUnavailable, match="federatedtrainings: the answer is no list: is it an API server"):
            await anext(each)
