"""The sessions that Kopf is given: it need not know that a token has run out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web
from kubernetes.aio.client import Configuration

from fedka.kubernetes.login import NoClusterAccess
from fedka.kubernetes.sessions import Sessions

from .servers import Logins, answering

VALID = "Bearer new"


async def answer(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(0.01)
    return web.Response(status=200 if request.headers.get("Authorization") == VALID else 401)


@asynccontextmanager
async def opened(logins: Logins) -> AsyncIterator[ClientSession]:
    async with answering(answer, logins):
        sessions = Sessions(logins)
        access = await sessions.open()
        yield access.aiohttp_session
        await sessions.close()
        assert access.aiohttp_session.closed


async def ask(session: ClientSession, url: str) -> int:
    async with session.get(url) as response:
        return response.status


async def test_many_requests_with_a_token_that_has_run_out_log_in_once():
    logins = Logins(tokens=["old", "new"])
    async with opened(logins) as session:
        assert await asyncio.gather(*(ask(session, logins.url) for _ in range(8))) == [200] * 8
    assert logins.times == 2


async def test_who_is_refused_with_a_new_token_as_well_is_told():
    logins = Logins(tokens=["old", "older"])
    async with opened(logins) as session:
        assert await ask(session, logins.url) == 401
    assert logins.times == 2


async def test_where_there_is_no_login_any_more_the_refusal_stands():
    class Once(Logins):
        async def __call__(self) -> Configuration:
            if self.times:
                raise NoClusterAccess("the kubeconfig has gone")
            return await super().__call__()

    logins = Once(tokens=["old"])
    async with opened(logins) as session:
        assert await ask(session, logins.url) == 401


async def test_kopf_can_tell_that_a_login_gives_what_was_refused_before():
    """Or it would open sessions by the same refused token for ever, one after the other."""
    logins = Logins(tokens=["old", "old", "new"])
    async with answering(answer, logins):
        sessions = Sessions(logins)
        first, second, third = [await sessions.open() for _ in range(3)]
        await sessions.close()
    assert first == second
    assert first != third
    assert "old" not in repr(first)
