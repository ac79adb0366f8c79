"""The connections to an API server. They end when they are closed, whatever they were about."""

import asyncio
import socket
from contextlib import suppress
from weakref import WeakSet

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject

LAST_TURNS = 20  # of the loop: a connection without a peer lets go of its socket in three


class Connections(RESTClientObject):  # type: ignore[misc]  # the generated client is not followed by mypy
    """The generated client's, which knows the sockets it has opened.

    aiohttp forgets a connection whose request was cancelled, and TLS waits for up to 30 s for the other side's goodbye:
    the loop may have ended by then, and the socket would be left to the garbage collector.
    """

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self._sockets = WeakSet[socket.socket]()

    async def close(self) -> None:
        """Returns when the sockets are closed."""
        await super().close()
        left = [each for each in self._sockets if each.fileno() >= 0]
        for each in left:
            with suppress(OSError):  # it has never been connected
                each.shutdown(socket.SHUT_RDWR)
        for _ in range(LAST_TURNS):
            if all(each.fileno() < 0 for each in left):
                return
            await asyncio.sleep(0)

    def _create_connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(limit=self.maxsize, ssl=self.ssl_context, socket_factory=self._open)

    def _open(self, address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, *_ = address
        opened = socket.socket(family, kind, protocol)
        self._sockets.add(opened)
        return opened
