"""The participant's loop: follow the journal, do what it asks, go on whatever happens.

Every decision is taken anew from the journal's state (`tasks.next_task`), so a restart, a lost connection or a round
that closed while the app trained are no cases of their own. Nothing polls: the main thread waits for the journal.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from fedka.kafka.patience import REFUSED_SECONDS, Patience
from fedka.participant.announced import AnnouncedExamples
from fedka.participant.conversation import Abilities, Conversation, Identity
from fedka.participant.errors import Interrupted
from fedka.participant.evaluations import Evaluations
from fedka.participant.global_models import GlobalModels
from fedka.participant.learner import Learner
from fedka.participant.ports import Wire
from fedka.participant.presence import ALIVE_SECONDS, Heartbeat
from fedka.participant.rounds import Rounds
from fedka.participant.tasks import Answer, Done, Evaluate, Leave, next_task

LOGGER = logging.getLogger("fedka.participant")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two signs of life, before something is tried again while Kafka is away, and for which Kafka may
    refuse before it is believed.
    """

    alive_seconds: float = ALIVE_SECONDS
    retry_seconds: float = 1.0
    refused_seconds: float = REFUSED_SECONDS


class Participant:
    """One participant of one run. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        identity: Identity,
        learner: Learner,
        wire: Wire,
        *,
        announced: AnnouncedExamples,
        clock: Callable[[], float],
        pace: Pace,
    ) -> None:
        self._name = identity.participant
        self._abilities = Abilities(layout=learner.layout_digest, evaluates=learner.evaluates)
        self._talk = Conversation(
            identity,
            self._abilities,
            announced,
            wire,
            retry_seconds=pace.retry_seconds,
            patience=Patience(clock, pace.refused_seconds),
        )
        self._heartbeat = Heartbeat(wire.say_soon, seconds=pace.alive_seconds)
        self._done = Done()
        models = GlobalModels(learner, wire, self._talk)
        self._evaluations = Evaluations(identity, learner, models, self._talk)
        self._rounds = Rounds(
            identity,
            learner,
            announced=announced,
            models=models,
            wire=wire,
            conversation=self._talk,
            done=self._done,
            clock=clock,
        )

    def run(self) -> None:
        """Take part until the run has ended; once.

        Raises TopicRefused, AccessRefused, WriteForbidden, JournalLost or JournalUnreadable, after which a new process
        may fare better.
        """
        self._talk.begin()
        try:
            self._talk.greet()
            self._heartbeat.start()
            self._follow()
        except Interrupted:
            self._talk.part()
            raise
        finally:
            self._heartbeat.stop()

    def _follow(self) -> None:
        while True:
            self._talk.greet()
            match next_task(self._talk.state, self._name, self._done, evaluates=self._abilities.evaluates):
                case None:
                    self._talk.listen()
                case Leave():
                    return
                case Evaluate(asked):
                    self._rounds.forget_what_is_not_uploaded()
                    self._evaluations.answer(asked)
                    self._done.evaluated = asked.round
                case Answer(opened, afresh):
                    self._rounds.answer(opened, afresh=afresh)
            self._talk.drain()
