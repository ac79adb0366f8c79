"""Whether Kafka lets the aggregator in: asked at the start, and again whenever one of its connections was refused.

Clients try again for ever. So without this a run whose user was deleted would stand still, and warn.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from fedka.kafka.access import Settings
from fedka.kafka.errors import KafkaAway, KafkaError, TopicRefused
from fedka.kafka.log_view import LogView
from fedka.kafka.patience import REFUSED_SECONDS, Patience

LOGGER = logging.getLogger("fedka.aggregator")
PAUSE_SECONDS = 1.0  # between two answers that a right is lacking; where Kafka is away, asking itself takes time


def wait_to_be_let_in(
    view: LogView, topics: Sequence[str], user: str, *, pause: Callable[[float], object] = time.sleep
) -> None:
    """Wait until Kafka shows these topics, for as long as it is away.

    Raises TopicMissing at once, and AccessRefused or TopicRefused where that has been the answer for REFUSED_SECONDS.
    """
    patience = Patience(time.monotonic, REFUSED_SECONDS)
    while True:
        try:
            view.check_topics(topics, user)
        except (KafkaAway, TopicRefused) as error:
            patience.hear(error)
            LOGGER.warning("waiting for Kafka: %s", error)
            if isinstance(error, TopicRefused):
                pause(PAUSE_SECONDS)
        else:
            return


class Doubt:
    """Whether a connection that was refused is more than a moment of one broker: asked on another connection.

    If so, `refused` is told, in a thread of its own. At most one question is under way.
    """

    def __init__(
        self, settings: Settings, topics: Sequence[str], user: str, *, refused: Callable[[KafkaError], None]
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._user = user
        self._refused = refused
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def ask(self) -> None:
        """Ask, unless that is being done; from any thread."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._settle, name="aggregator-doubt", daemon=True)
                self._thread.start()

    def join(self) -> None:
        """Wait for the answer, if one is awaited."""
        if self._thread is not None:
            self._thread.join()

    def _settle(self) -> None:
        view = LogView(self._settings, name="fedka-aggregator-doubt")
        try:
            wait_to_be_let_in(view, self._topics, self._user)
        except KafkaError as error:
            self._refused(error)
        finally:
            view.close()
