"""Requests to a Kubernetes API server: paths, JSON, time-outs, and what a refusal means.

The generated client of the `kubernetes` package makes the connection (TLS, proxies, tokens). Its models and its dynamic
client are left out: they discover the API first, and turning answers into their objects and back costs more than the
request.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from fedka.kubernetes.answers import refusal
from fedka.kubernetes.login import Login
from fedka.reconcile.ports import ClusterUnavailable, Kind
from fedka.version import VERSION

Json = dict[str, Any]

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
SILENCE_SECONDS = 90.0  # a watch gets a bookmark about every minute: one that is silent for longer has been cut
LAST_TURNS = 3  # of the loop: an aborted TLS connection lets go of its socket in a callback, and the loop may end now

JSON_TYPE = "application/json"
APPLY = "application/apply-patch+yaml"
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


class Api:
    """One connection pool. `answered` is told of each answer: method, path, and code (0: none came)."""

    def __init__(self, login: Login, *, answered: Answered = lambda _method, _path, _code: None) -> None:
        self._login = login
        self._answered = answered
        self._configuration: Configuration | None = None
        self._client: RESTClientObject | None = None
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
    ) -> Json:
        """The answer's JSON. Raises a ClusterError."""
        headers = {"Content-Type": content_type, "Accept": accept}
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS)
        async with self._answer(_Request(method, path, query or {}, headers, timeout, body)) as response:
            answer: Json = json.loads(await response.read())
            return answer

    async def lines(self, path: str, *, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """The lines of an answer that does not end by itself (use `contextlib.aclosing`). Raises a ClusterError."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
        async with self._answer(_Request("GET", path, query, {"Accept": JSON_TYPE}, timeout)) as response:
            async for line in response.content:
                yield line

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()
            for _ in range(LAST_TURNS):
                await asyncio.sleep(0)

    @asynccontextmanager
    async def _answer(self, request: _Request) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """An answer that is 2xx. A login that has run out is renewed once."""
        code = 0
        try:
            response = await self._request(request)
            if response.status == HTTPStatus.UNAUTHORIZED:
                response.release()
                await self._log_in(instead_of=self._client)
                response = await self._request(request)
            code = response.status
            try:
                if code >= HTTPStatus.MULTIPLE_CHOICES:
                    raise refusal(code, await response.read(), str(request))
                yield response
            finally:
                response.close()  # gives a connection back whose answer has been read, ends any other
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterUnavailable(f"{request}: no answer: {error or type(error).__name__}") from error
        finally:
            self._answered(request.method, request.path, code)

    async def _request(self, request: _Request) -> aiohttp.ClientResponse:
        if self._client is None:
            await self._log_in(instead_of=None)
        configuration, client = self._configuration, self._client
        if configuration is None or client is None:
            raise ClusterUnavailable(f"{request}: the connection has been closed")
        headers = {**request.headers, "User-Agent": f"fedka/{VERSION}"}
        token = await configuration.get_api_key_with_prefix("BearerToken")
        if token:
            headers["Authorization"] = token
        url = configuration.host + request.target
        answer = await client.request(  # type: ignore[no-untyped-call]  # the generated client has no types here
            request.method, url, headers=headers, body=request.body, _request_timeout=request.timeout
        )
        response: aiohttp.ClientResponse = answer.response
        return response

    async def _log_in(self, *, instead_of: RESTClientObject | None) -> None:
        async with self._logging_in:
            if self._client is not instead_of:
                return  # somebody else has done it meanwhile
            configuration = await self._login()
            old, self._configuration, self._client = self._client, configuration, RESTClientObject(configuration)
            if old is not None:
                await old.close()
