"""Evaluating a global model on this participant's own data."""

import logging

from fedka.participant.conversation import Conversation, Identity
from fedka.participant.failures import CannotAnswer, report
from fedka.participant.global_models import GlobalModels
from fedka.participant.learner import Learner
from fedka.participant.news import figures
from fedka.participant.results import count_examples, plain_metrics
from fedka.wire.records import Evaluated
from fedka.wire.run_state import OpenEvaluation

LOGGER = logging.getLogger("fedka.participant")


class Evaluations:
    """Answers requests for evaluations; used by the main thread only."""

    def __init__(self, identity: Identity, learner: Learner, models: GlobalModels, conversation: Conversation) -> None:
        self._run = identity.run
        self._learner = learner
        self._models = models
        self._talk = conversation

    def answer(self, asked: OpenEvaluation) -> None:
        """Evaluate the model and say the result, or that it cannot be had."""

        def matters() -> bool:
            return self._talk.state.evaluation == asked

        try:
            self._models.obtain(asked.model)
            result = self._learner.evaluate(asked.round)
        except CannotAnswer as error:
            closed = self._talk.closed
            if closed is not None and closed.round == asked.round:
                report(self._talk, self._run, closed, error, what="evaluation", matters=matters)
            return
        metrics = plain_metrics(result)
        examples = count_examples(result)
        LOGGER.info("round %d: evaluated %d examples%s", asked.round, examples, figures(metrics))
        answer = Evaluated(
            run=self._run, round=asked.round, model=asked.model.pointer.digest, examples=examples, metrics=metrics
        )
        self._talk.drain()
        self._talk.say(answer, matters)
