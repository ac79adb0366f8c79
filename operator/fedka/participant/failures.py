"""What keeps a participant from answering, and how it says so.

The full error with its traceback stays in the participant's log. What leaves is the kind of error and the beginning of
its message: enough to act on, and little enough that a message which quotes data does not carry a data set away.
"""

import logging
from collections.abc import Callable
from typing import Literal

from fedka.kafka.errors import ChunksUnusable
from fedka.participant.conversation import Conversation
from fedka.participant.errors import AppMisused, AppRaised, ModelUnusable
from fedka.wire.records import Failed, RoundOpened

LOGGER = logging.getLogger("fedka.participant")
MOST_MESSAGE = 300

CannotAnswer = (AppRaised, AppMisused, ModelUnusable, ChunksUnusable)
"""What costs this participant's answer, not the run."""


def report(
    talk: Conversation,
    run: str,
    opened: RoundOpened,
    error: Exception,
    *,
    what: Literal["training", "evaluation"],
    matters: Callable[[], bool],
) -> None:
    """Log why an attempt is not answered, and say so as long as it `matters`."""
    where = error.__cause__ if isinstance(error, AppRaised) else error if isinstance(error, AppMisused) else None
    LOGGER.error("round %d: %s failed: %s", opened.round, what, error, exc_info=where)
    message = f"{what}: {error}"[:MOST_MESSAGE]
    failed = Failed(run=run, round=opened.round, attempt=opened.attempt, nonce=opened.nonce, task=what, message=message)
    talk.drain()
    talk.say(failed, matters)
