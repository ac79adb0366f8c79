"""A wire to the API server that can be cut: a watch that is up is asked for its rights only when it is taken up again,
which takes minutes by itself.
"""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PART = 64 * 1024


class Relay:
    """Passes bytes on between whoever connects to `port` and a server on this machine."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.port: int = self._listening.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def cut(self) -> None:
        """End all connections; new ones are taken at once."""
        with self._lock:
            for each in self._open:
                with suppress(OSError):  # the other side was quicker
                    each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):  # it has been closed
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._server_port))
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with self._lock:
            self._open.add(source)
        with suppress(OSError):
            while part := source.recv(PART):
                target.sendall(part)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open.discard(source)
        source.close()


@contextmanager
def through_relay(kubeconfig: Path) -> Iterator[Relay]:
    """The same kubeconfig (it is rewritten) leads through a relay."""
    text = kubeconfig.read_text()
    found = re.search(r"server: https://127\.0\.0\.1:(\d+)", text)
    assert found is not None
    relay = Relay(int(found[1]))
    kubeconfig.write_text(text.replace(found[0], f"server: https://127.0.0.1:{relay.port}"))
    try:
        yield relay
    finally:
        relay.close()
