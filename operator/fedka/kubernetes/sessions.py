"""The sessions in which Kopf watches: each sends the token that is valid now, and one that is refused is read anew.

Left to itself, Kopf answers a 401 by closing its session. A watch that is just being taken up in it fails by an error
that Kopf is not made for, and all end: in three of four tries, where all were cut at once as by a restart.
"""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus

import kopf
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession, TCPConnector
from aiohttp.hdrs import AUTHORIZATION, USER_AGENT
from kubernetes.aio.client import Configuration

from fedka.kubernetes.api import LAST_TURNS
from fedka.kubernetes.login import Login, NoClusterAccess
from fedka.version import VERSION


@dataclass(frozen=True, kw_only=True)
class _Access(kopf.AiohttpSession):
    """Kopf does not use again what equals one that was refused: sessions differ by what they say, not as objects."""

    aiohttp_session: ClientSession = field(compare=False)
    authorization: str | None = field(repr=False)


class Sessions:
    """All that were opened for one shell."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._opened: list[ClientSession] = []

    async def open(self) -> kopf.AiohttpSession:
        """One more, by what is valid now. Raises NoClusterAccess."""
        configuration = await self._login()
        tls = kopf.ConnectionInfo(
            server=configuration.host,
            ca_path=configuration.ssl_ca_cert,
            insecure=not configuration.verify_ssl,
            certificate_path=configuration.cert_file,
            private_key_path=configuration.key_file,
        ).as_ssl_context()
        session = ClientSession(
            connector=TCPConnector(limit=0, ssl=tls),  # each watch keeps its connection
            headers={USER_AGENT: f"fedka/{VERSION}"},
            proxy=configuration.proxy,
            trust_env=True,  # as the adapter does
            middlewares=(_Signed(self._login, configuration),),
        )
        self._opened.append(session)
        return _Access(
            server=configuration.host, aiohttp_session=session, authorization=await _authorization(configuration)
        )

    async def close(self) -> None:
        """Close those that Kopf has not closed."""
        for session in self._opened:
            await session.close()
        for _ in range(LAST_TURNS):
            await asyncio.sleep(0)


class _Signed:
    """Puts the token into each request of a session, and tries once more with a new one."""

    def __init__(self, login: Login, configuration: Configuration) -> None:
        self._login = login
        self._configuration = configuration
        self._logging_in = asyncio.Lock()

    async def __call__(self, request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
        used = self._configuration
        response = await self._send(request, send)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        try:
            async with self._logging_in:
                if self._configuration is used:  # else another watch has done it meanwhile
                    self._configuration = await self._login()
        except NoClusterAccess:
            return response  # Kopf will ask for a login until there is one
        response.close()
        return await self._send(request, send)

    async def _send(self, request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
        authorization = await _authorization(self._configuration)
        if authorization is not None:
            request.headers[AUTHORIZATION] = authorization
        return await send(request)


async def _authorization(configuration: Configuration) -> str | None:
    header: str | None = await configuration.get_api_key_with_prefix("BearerToken")
    return header
