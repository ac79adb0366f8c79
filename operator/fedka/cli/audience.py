"""Whoever reads what a run shows may go away before the run does: a pager is left, a terminal closed, a disk full.

What is shown is told from within the run's own work, which must not break down over it. So the first write that fails
is the last one. A reader at the other end of a pipe who leaves has the run stopped in order, as it ends any program;
where there is no terminal any more but nobody was told to stop by it, the run goes on, and its status and logs tell.
"""

import logging
from collections.abc import Callable

from fedka.api.training import FederatedTraining
from fedka.cli.screen import Surface

LOGGER = logging.getLogger("fedka.cli.audience")


class Audience:
    """A surface as long as there is somebody to see it. `left` is called when a reader has left, from any thread."""

    def __init__(self, surface: Surface, left: Callable[[], object]) -> None:
        self._surface = surface
        self._left = left
        self._gone = False

    def note(self, message: str) -> None:
        """See `Surface`."""
        self._try(lambda: self._surface.note(message))

    def alarm(self, message: str) -> None:
        """See `Surface`."""
        self._try(lambda: self._surface.alarm(message))

    def draw(self, training: FederatedTraining) -> None:
        """See `Surface`."""
        self._try(lambda: self._surface.draw(training))

    def close(self) -> None:
        """See `Surface`."""
        self._try(self._surface.close)

    def _try(self, show: Callable[[], None]) -> None:
        if self._gone:
            return
        try:
            show()
        except OSError as error:
            self._gone = True
            LOGGER.warning("nothing more can be shown on stderr: %s", error)
            if isinstance(error, BrokenPipeError):
                self._left()
