"""Answering a round: get the base, train, upload, commit.

What was trained is held until the base moves on: a round that is repeated gets the same upload committed again, and an
upload that Kafka's absence spoilt is made again without training again.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fedka.kafka.errors import WriteFailed
from fedka.participant.announced import AnnouncedExamples
from fedka.participant.conversation import Conversation, Identity
from fedka.participant.failures import CannotAnswer, report
from fedka.participant.global_models import GlobalModels
from fedka.participant.learner import Learner
from fedka.participant.news import figures
from fedka.participant.ports import Wire
from fedka.participant.results import count_examples, plain_metrics
from fedka.participant.tasks import Done, still_wanted
from fedka.wire.chunks import Pointer
from fedka.wire.records import Commit, ModelRef, RoundOpened

LOGGER = logging.getLogger("fedka.participant")


class _AttemptOver(Exception):
    """The attempt ended while its upload was under way."""


@dataclass(slots=True)
class Held:
    """An answer to one round and base; `pointer` once it is uploaded."""

    round: int
    base: str | None
    examples: int
    metrics: dict[str, float] = field(default_factory=dict)
    pointer: Pointer | None = None

    def answers(self, opened: RoundOpened) -> bool:
        """Whether it is an answer to this attempt."""
        base = None if opened.base is None else opened.base.pointer.digest
        return (self.round, self.base) == (opened.round, base)


class Rounds:
    """Answers attempts; used by the main thread only. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        identity: Identity,
        learner: Learner,
        *,
        announced: AnnouncedExamples,
        models: GlobalModels,
        wire: Wire,
        conversation: Conversation,
        done: Done,
        clock: Callable[[], float],
    ) -> None:
        self._me = identity
        self._learner = learner
        self._announced = announced
        self._models = models
        self._wire = wire
        self._talk = conversation
        self._done = done
        self._clock = clock
        self._held: Held | None = None

    def answer(self, opened: RoundOpened, *, afresh: bool) -> None:
        """Answer an attempt as far as it still matters; `afresh`: what is held for it was refused."""
        try:
            held = self._held
            if held is None or afresh or not held.answers(opened):
                held = self._held = self._first_model() if opened.base is None else self._train(opened, opened.base)
            self._talk.drain()
            pointer = self._uploaded(held, opened)
        except CannotAnswer as error:
            self._held = None
            report(self._talk, self._me.run, opened, error, what="training", matters=lambda: self._matters(opened))
            self._done.answer(opened.nonce)
        else:
            if pointer is not None:
                self._commit(held, pointer, opened)

    def forget_what_is_not_uploaded(self) -> None:
        """To be called before the model gets other numbers."""
        if self._held is not None and self._held.pointer is None:
            self._held = None

    def _first_model(self) -> Held:
        LOGGER.info("giving the first model")
        return Held(round=0, base=None, examples=self._announced.number)

    def _train(self, opened: RoundOpened, base: ModelRef) -> Held:
        self._models.obtain(base)
        began = self._clock()
        trained = self._learner.train(opened.round)
        seconds = self._clock() - began
        held = Held(
            round=opened.round,
            base=base.pointer.digest,
            examples=count_examples(trained),
            metrics=plain_metrics(trained),
        )
        LOGGER.info(
            "round %d: trained %d examples in %.2g s%s", held.round, held.examples, seconds, figures(held.metrics)
        )
        return held

    def _uploaded(self, held: Held, opened: RoundOpened) -> Pointer | None:
        """The pointer to what was uploaded, or None where the attempt is over before that is done."""
        while held.pointer is None and self._matters(opened):
            chunks = self._learner.update_chunks() if held.base is not None else self._learner.model_chunks()
            try:
                held.pointer = self._wire.upload(self._watched(chunks, opened), float(opened.deadline_seconds))
            except _AttemptOver:
                LOGGER.info("round %d: over before the upload was", opened.round)
            except WriteFailed as error:
                self._talk.hold(f"round {opened.round}: trying again", error)
            else:
                self._talk.drain()
        return held.pointer

    def _watched(self, chunks: Iterator[npt.NDArray[np.uint8]], opened: RoundOpened) -> Iterator[npt.NDArray[np.uint8]]:
        for chunk in chunks:
            self._talk.drain()
            if not self._matters(opened):
                raise _AttemptOver
            yield chunk

    def _commit(self, held: Held, pointer: Pointer, opened: RoundOpened) -> None:
        if held.base is not None:
            self._talk.announce(held.examples)  # before the commit: whoever has read that knows the new number
        commit = Commit(
            run=self._me.run,
            round=opened.round,
            attempt=opened.attempt,
            nonce=opened.nonce,
            base=held.base,
            layout=self._learner.layout_digest,
            examples=held.examples,
            update=pointer,
            metrics=held.metrics,
            definition=self._learner.layout if held.base is None else None,
        )
        offset = self._talk.say(commit, lambda: self._matters(opened))
        if offset is not None:
            self._done.answer(opened.nonce, offset)

    def _matters(self, opened: RoundOpened) -> bool:
        return still_wanted(self._talk.state, self._me.participant, opened)
