"""Requests: credentials that run out, answers that do not come."""

import asyncio
from contextlib import aclosing

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration

from fedka.kubernetes.answers import AnswerTooLong, Unauthorized
from fedka.kubernetes.api import Api, path_of
from fedka.kubernetes.login import NoClusterAccess
from fedka.kubernetes.metrics import resource_of
from fedka.reconcile.ports import FEDERATED_TRAINING, NAMESPACE, POD, ClusterUnavailable

from .servers import Logins, answering


async def test_a_token_that_has_run_out_is_read_again():
    logins = Logins(tokens=["old", "new"])

    async def answer(request: web.Request) -> web.StreamResponse:
        valid = request.headers["Authorization"] == "Bearer new"
        return web.json_response({"kind": "Status"}, status=200 if valid else 401)

    async with answering(answer, logins) as api:
        await api.send("GET", "/api/v1/pods")
        await api.send("GET", "/api/v1/pods")
    assert logins.times == 2


async def test_many_requests_at_once_log_in_once():
    logins = Logins(tokens=["old", "new"])

    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.01)
        valid = request.headers["Authorization"] == "Bearer new"
        return web.json_response({"kind": "Status"}, status=200 if valid else 401)

    async with answering(answer, logins) as api:
        await api.send("GET", "/api/v1/pods")
        await asyncio.gather(*(api.send("GET", "/api/v1/pods") for _ in range(8)))
    assert logins.times == 2


async def test_a_refusal_that_comes_after_another_has_logged_in_needs_no_login():
    logins, late, asked = Logins(tokens=["old", "new"]), asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] == "Bearer new":
            return web.json_response({"kind": "Status"})
        if request.path == "/late":
            asked.set()
            await late.wait()
        return web.json_response({"kind": "Status"}, status=401)

    async with answering(answer, logins) as api:
        waiting = asyncio.create_task(api.send("GET", "/late"))
        await asked.wait()
        await api.send("GET", "/api/v1/pods")
        late.set()
        await waiting
    assert logins.times == 2


async def test_a_new_login_leaves_alone_who_still_waits_for_an_answer_to_the_old_one():
    logins, late, asked = Logins(tokens=["old", "new"]), asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/late":
            asked.set()
            await late.wait()
            return web.json_response({"kind": "Pod"})
        valid = request.headers["Authorization"] == "Bearer new"
        return web.json_response({"kind": "Status"}, status=200 if valid else 401)

    async with answering(answer, logins) as api:
        waiting = asyncio.create_task(api.send("POST", "/late", body={}))
        await asked.wait()
        await api.send("GET", "/api/v1/pods")
        late.set()
        assert await waiting == {"kind": "Pod"}


async def test_credentials_that_stay_wrong_are_said_to_be():
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"kind": "Status", "message": "Unauthorized"}, status=401)

    async with answering(answer) as api:
        with pytest.raises(Unauthorized, match="credentials"):
            await api.send("GET", "/api/v1/pods")


async def test_why_a_login_that_has_run_out_is_not_renewed_is_told():
    logins = Logins()

    async def login() -> Configuration:
        if logins.times:
            raise NoClusterAccess("the program get-token has ended with code 1: log in again")
        return await logins()

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"kind": "Status", "message": "Unauthorized"}, status=401)

    async with answering(answer, logins):
        api = Api(login)
        with pytest.raises(Unauthorized, match="not renewed: the program get-token has ended with code 1: log in aga"):
            await api.send("GET", "/api/v1/pods")
        await api.close()


async def test_a_server_that_is_away_is_unavailable():
    async def login():
        return await Logins("http://127.0.0.1:1")()

    api = Api(login)
    try:
        with pytest.raises(ClusterUnavailable, match="no answer"):
            await api.send("GET", "/api/v1/pods")
    finally:
        await api.close()


async def test_an_answer_that_is_cut_off_is_unavailable():
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        request.transport.close()
        return response

    async with answering(answer) as api:
        with pytest.raises(ClusterUnavailable):
            await api.send("GET", "/api/v1/pods")


@pytest.mark.parametrize("page", ["<html>Please log in</html>", "", "[]", "\udcff".encode(errors="surrogateescape")])
async def test_a_page_in_place_of_an_answer_is_no_answer(page: str | bytes):
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=page)

    async with answering(answer) as api:
        with pytest.raises(ClusterUnavailable, match="GET /api/v1/pods: no API server has answered"):
            await api.send("GET", "/api/v1/pods")


async def test_an_answer_of_more_than_was_asked_for_is_not_read_to_its_end():
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b" " * 2**20)
            sent += 1
        return response

    async with answering(answer) as api:
        with pytest.raises(AnswerTooLong, match="GET /pods: the answer has more than 2 MiB"):
            await api.send("GET", "/pods", most_bytes=2 * 2**20)
        with pytest.raises(AnswerTooLong, match="more than 16 MiB"):
            await api.send("GET", "/pods")
    assert sent < 100


async def test_watches_of_many_namespaces_leave_a_connection_for_the_rest():
    """34 namespaces have 102 watches; the library would let 100 connections stand at a time."""
    watches = 102
    begun, end = asyncio.Semaphore(0), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path != "/watch":
            return web.json_response({})
        response = web.StreamResponse()
        await response.prepare(request)
        begun.release()
        await end.wait()
        return response

    async def watch(api: Api) -> None:
        async with aclosing(api.lines("/watch", query={})) as lines:
            async for _ in lines:
                pass

    async with answering(answer) as api, asyncio.TaskGroup() as group:
        for _ in range(watches):
            group.create_task(watch(api))
        async with asyncio.timeout(60):
            for _ in range(watches):
                await begun.acquire()
            assert await api.send("GET", "/else") == {}
        end.set()


async def test_each_answer_is_counted():
    counted: list[tuple[str, str, int]] = []

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"kind": "Status"}, status=201)

    logins = Logins()
    async with answering(answer, logins):
        api = Api(logins, answered=lambda *each: counted.append(each))
        await api.send("POST", "/api/v1/pods", body={})
        await api.close()
    assert counted == [("POST", "/api/v1/pods", 201)]


@pytest.mark.parametrize(
    ("path", "expected", "resource"),
    [
        (path_of(FEDERATED_TRAINING, None), "/apis/fedka.dev/v1alpha1/federatedtrainings", "federatedtrainings"),
        (
            path_of(FEDERATED_TRAINING, "a", "b", "status"),
            "/apis/fedka.dev/v1alpha1/namespaces/a/federatedtrainings/b/status",
            "federatedtrainings/status",
        ),
        (path_of(POD, "a", "b"), "/api/v1/namespaces/a/pods/b", "pods"),
        (path_of(NAMESPACE, None, "a"), "/api/v1/namespaces/a", "namespaces"),
    ],
)
def test_a_path_names_what_it_is_about(path, expected, resource):
    assert path == expected
    assert resource_of(path) == resource


@pytest.mark.parametrize("path", ["/apis", "/apis/fedka.dev/v1alpha1", "/api/v1"])
def test_a_question_for_kinds_is_about_discovery(path):
    assert resource_of(path) == "discovery"
