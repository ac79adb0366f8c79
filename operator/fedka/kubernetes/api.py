"""Requests to a Kubernetes API server: paths, JSON, time-outs, and what a refusal means.

The generated client of the `kubernetes` package makes the connection (TLS, proxies, tokens). Its models and its dynamic
client are left out: they discover the API first, and turning answers into their objects and back costs more than the
request.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import Configuration

from fedka.kubernetes.answers import AnswerTooLong, Unauthorized, refusal
from fedka.kubernetes.connections import Connections
from fedka.kubernetes.decoding import Decoder, decoded
from fedka.kubernetes.lines import LONGEST_LINE, Lines
from fedka.kubernetes.login import Login, NoClusterAccess
from fedka.reconcile.ports import ClusterUnavailable, Kind
from fedka.version import VERSION

Json = dict[str, Any]

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 40.0  # an admission webhook may take 30 s, and it is the answer that names it
SILENCE_SECONDS = 90.0  # a watch gets a bookmark about every minute: one that is silent for longer has been cut
LONGEST_ANSWER = LONGEST_LINE  # it is an object, or a page of them
WORDS = 200  # of an answer that is none

JSON_TYPE = "application/json"
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

Answered = Callable[[str, str, int], None]


def path_of(kind: Kind, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
    """The path of a collection, an object or its subresource. `namespace` None: of all."""
    root = f"/apis/{kind.api_version}" if "/" in kind.api_version else f"/api/{kind.api_version}"
    parts = [root, *(("namespaces", namespace) if namespace and kind.namespaced else ()), kind.plural]
    return "/".join(part for part in (*parts, name, subresource) if part)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    timeout: aiohttp.ClientTimeout
    body: object = None

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(eq=False, slots=True)
class _Session:
    """A login and its connections; replaced by another, they stay until the last of its answers has ended."""

    configuration: Configuration
    client: Connections
    awaited: int = 0
    replaced: bool = False

    @asynccontextmanager
    async def answer(self, request: _Request) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """Whatever the server says."""
        self.awaited += 1
        try:
            response = await self._send(request)
            try:
                yield response
            finally:
                response.close()  # gives a connection back whose answer has been read, ends any other
        finally:
            self.awaited -= 1
            await self._close_if_done()

    async def replace(self) -> None:
        """No request will come any more."""
        self.replaced = True
        await self._close_if_done()

    async def _close_if_done(self) -> None:
        if self.replaced and self.awaited == 0:
            await self.client.close()

    async def _send(self, request: _Request) -> aiohttp.ClientResponse:
        headers = {**request.headers, "User-Agent": f"fedka/{VERSION}"}
        token = await self.configuration.get_api_key_with_prefix("BearerToken")
        if token:
            headers["Authorization"] = token
        url = self.configuration.host + request.target
        answer = await self.client.request(
            request.method, url, headers=headers, body=request.body, _request_timeout=request.timeout
        )
        response: aiohttp.ClientResponse = answer.response
        return response


class Api:
    """One login at a time. `answered` is told of each answer: method, path, and code (0: none came)."""

    def __init__(self, login: Login, *, answered: Answered = lambda _method, _path, _code: None) -> None:
        self._login = login
        self._answered = answered
        self._session: _Session | None = None
        self._replaced: set[_Session] = set()  # those with answers to come
        self._logging_in = asyncio.Lock()

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = JSON_TYPE,
        accept: str = JSON_TYPE,
        most_bytes: int = LONGEST_ANSWER,
        decode: Decoder = decoded,
    ) -> Json:
        """The answer's JSON. Raises a ClusterError: AnswerTooLong for more than `most_bytes`."""
        headers = {"Content-Type": content_type, "Accept": accept}
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS)
        async with self._answer(_Request(method, path, query or {}, headers, timeout, body)) as response:
            return _object(await _body(response, most_bytes, f"{method} {path}"), f"{method} {path}", decode)

    async def lines(self, path: str, *, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """The lines of an answer that does not end by itself (use `contextlib.aclosing`), each with its end: a line
        break, which only the last one may lack, or CUT where a line is too long. Raises a ClusterError.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
        async with self._answer(_Request("GET", path, query, {"Accept": JSON_TYPE}, timeout)) as response:
            lines = Lines()
            async for part in response.content.iter_any():  # its own way to lines refuses those beyond 128 KiB
                for line in lines.take(part):
                    yield line
            if rest := lines.rest():
                yield rest

    async def close(self) -> None:
        """Close the connections."""
        current, self._session = self._session, None
        for session in (*self._replaced, *([current] if current is not None else [])):
            await session.client.close()

    @asynccontextmanager
    async def _answer(self, request: _Request) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """An answer that is 2xx. A login that has run out is renewed once."""
        code = 0
        try:
            session = self._session or await self._log_in(instead_of=None)
            for renewed in (False, True):
                async with session.answer(request) as response:
                    if renewed or response.status != HTTPStatus.UNAUTHORIZED:
                        code = response.status
                        if code >= HTTPStatus.MULTIPLE_CHOICES:
                            raise refusal(code, await response.read(), str(request))
                        yield response
                        return
                session = await self._log_in(instead_of=session)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterUnavailable(f"{request}: no answer: {error or type(error).__name__}") from error
        finally:
            self._answered(request.method, request.path, code)

    async def _log_in(self, *, instead_of: _Session | None) -> _Session:
        """The session to use from now on."""
        async with self._logging_in:
            if self._session is None and instead_of is not None:
                raise ClusterUnavailable("the connection has been closed")
            if self._session is not None and self._session is not instead_of:
                return self._session  # somebody else has done it meanwhile
            try:
                configuration = await self._login()
            except NoClusterAccess as error:
                if instead_of is None:
                    raise
                raise Unauthorized(f"the login has run out, and is not renewed: {error}") from error
            configuration.connection_pool_maxsize = 0  # no limit: each watch keeps one, three for a namespace
            old, self._session = self._session, _Session(configuration, Connections(configuration))
            if old is not None:
                self._replaced = {each for each in (*self._replaced, old) if each.awaited}
                await old.replace()
            return self._session


async def _body(response: aiohttp.ClientResponse, most_bytes: int, asked: str) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > most_bytes:
            raise AnswerTooLong(f"{asked}: the answer has more than {most_bytes / 2**20:.0f} MiB")
    return b"".join(parts)


def _object(body: bytes, asked: str, decode: Decoder) -> Json:
    """Raises ClusterUnavailable: what lies in between may answer as well, in its own way."""
    with suppress(ValueError):
        answer = decode(body)
        if isinstance(answer, dict):
            return answer
    raise ClusterUnavailable(f"{asked}: no API server has answered: {body[:WORDS]!r}")
