"""Getting global models from the log into this process."""

import logging

from fedka.kafka.errors import ChunkCorrupt
from fedka.participant.conversation import Conversation
from fedka.participant.errors import ModelUnusable
from fedka.participant.layouts import difference
from fedka.participant.learner import Learner
from fedka.participant.ports import Wire
from fedka.wire.records import ModelRef

LOGGER = logging.getLogger("fedka.participant")


class GlobalModels:
    """Downloads global models into the learner."""

    def __init__(self, learner: Learner, wire: Wire, conversation: Conversation) -> None:
        self._learner = learner
        self._wire = wire
        self._talk = conversation

    def obtain(self, model: ModelRef) -> None:
        """Make a global model the learner's base, unless it is already.

        Raises ModelUnusable where the app's model has another layout than the run's, and a ChunksUnusable.
        """
        if self._learner.base_digest == model.pointer.digest:
            return
        theirs = self._talk.state.layout
        if theirs is not None and self._talk.state.layout_digest != self._learner.layout_digest:
            raise ModelUnusable(f"the app's model differs from the run's: {difference(self._learner.layout, theirs)}")
        try:
            self._download(model)
        except ChunkCorrupt as error:
            LOGGER.warning("the model of round %d: %s; reading it once more", model.round, error)
            self._download(model)

    def _download(self, model: ModelRef) -> None:
        chunks = self._wire.download(model.pointer, self._learner.layout)
        self._learner.receive(model.pointer.digest, chunks)
