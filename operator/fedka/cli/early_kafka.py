"""A broker that is begun before the rest of the program has been loaded: nothing of a run takes longer to start."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from fedka.local.kafka_server import KafkaServer

if TYPE_CHECKING:
    from fedka.cli.screen import Screen


class EarlyKafka:
    """A broker that starts while the rest of the program is still being loaded: a `Broker` for `local_run`."""

    def __init__(self, state_dir: Path) -> None:
        self._server = KafkaServer(state_dir=state_dir, progress=self._progress)
        self._last_note = ""
        self._screen: Screen | None = None
        self._started: Future[str] = Future()
        self._thread = threading.Thread(target=self._start, name="early-kafka", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """See `Broker`."""
        return self._server.alive

    @property
    def log_path(self) -> Path:
        """See `Broker`."""
        return self._server.log_path

    def start(self) -> str:
        """See `Broker`: wait for the start that is under way."""
        return self._started.result()

    def revive(self) -> None:
        """See `Broker`."""
        self._server.start()

    def stop(self) -> None:
        """See `Broker`."""
        self._server.stop()
        self._thread.join()

    def kill(self) -> None:
        """End it without waiting for an orderly stop."""
        self._server.kill()

    def show_on(self, screen: "Screen") -> None:
        """Tell the screen what goes on, from the last news on."""
        self._screen = screen
        if self._last_note:
            screen.note(self._last_note)

    def _start(self) -> None:
        try:
            self._started.set_result(self._server.start())
        except Exception as error:  # noqa: BLE001  whoever waits for the start raises it
            self._started.set_exception(error)

    def _progress(self, message: str) -> None:
        self._last_note = message
        if self._screen is not None:
            self._screen.note(message)


@contextlib.contextmanager
def early_kafka(state_dir: Path, bootstrap_servers: str | None) -> Iterator[EarlyKafka | None]:
    """The broker for the body; none where the run uses a Kafka that exists."""
    if bootstrap_servers is not None:
        yield None
        return
    early = EarlyKafka(state_dir)
    try:
        yield early
    finally:
        early.stop()
