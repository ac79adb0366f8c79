"""What is closed is closed: no socket of a login outlives it, however its requests ended."""

import asyncio
import gc
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from kubernetes.aio.client import Configuration

from fedka.kubernetes.api import Api

from ..cluster.certificates import write_certificates

WATCH = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n"


class Silent:
    """A server with TLS that hears a request, and then neither says anything nor hears that the other side leaves."""

    def __init__(self, home: Path) -> None:
        self.ca_file = home / "ca.crt"
        write_certificates(ca=self.ca_file, server=home / "server.pem", names=("127.0.0.1",))
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(home / "server.pem")
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listening.getsockname()
        self.first_words = b""
        self._taken: list[socket.socket] = []
        self.asked = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    async def login(self) -> Configuration:
        configuration = Configuration(host=f"https://127.0.0.1:{self.address[1]}")
        configuration.ssl_ca_cert = str(self.ca_file)
        return configuration

    def stop(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)  # ends the accept
        self._thread.join()
        for each in (self._listening, *self._taken):
            each.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                taken = self._tls.wrap_socket(self._listening.accept()[0], server_side=True)
                self._taken.append(taken)
                taken.recv(65536)
                if self.first_words:
                    taken.sendall(self.first_words)
                self.asked.set()


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Silent]:
    server = Silent(tmp_path)
    yield server
    server.stop()


def connected_to(address: tuple[str, int]) -> list[socket.socket]:
    """The open sockets of this process with that other end."""
    sockets = [each for each in gc.get_objects() if issubclass(type(each), socket.socket)]  # asked itself, some warn
    return [each for each in sockets if each.fileno() >= 0 and other_end(each) == address]


def other_end(of: socket.socket) -> object:
    try:
        return of.getpeername()
    except OSError:  # there is none
        return None


async def test_a_request_that_nobody_waits_for_any_more_leaves_no_socket(silent: Silent):
    api = Api(silent.login)
    asking = asyncio.create_task(api.send("GET", "/api/v1/namespaces"))
    await asyncio.to_thread(silent.asked.wait)
    assert len(connected_to(silent.address)) == 1
    asking.cancel()
    await asyncio.wait([asking])
    await api.close()
    assert connected_to(silent.address) == []


async def test_a_watch_that_is_left_leaves_no_socket(silent: Silent):
    silent.first_words = WATCH
    api = Api(silent.login)
    async with aclosing(api.lines("/api/v1/namespaces", query={"watch": "1"})) as lines:
        assert await anext(lines) == b"{}\n"
        assert len(connected_to(silent.address)) == 1
    await api.close()
    assert connected_to(silent.address) == []
