"""The open evaluation: answers of those who were asked, until all came, or the deadline, or the next one."""

import logging

from fedka.aggregator.evaluation import means
from fedka.aggregator.roster import Roster
from fedka.aggregator.wiring import Wiring
from fedka.wire.exact import weight_scale
from fedka.wire.records import Evaluated, EvaluationAudited, EvaluationClosed, Failed, ParticipantAudited, RejectReason
from fedka.wire.run_state import OpenEvaluation

LOGGER = logging.getLogger("fedka.aggregator")


class Evaluating:
    """Collects the answers for `state.evaluation`; they are read again from the log after a restart."""

    def __init__(self, wiring: Wiring, roster: Roster) -> None:
        self._wiring = wiring
        self._roster = roster
        self._answers: dict[str, tuple[int, dict[str, float]]] = {}
        self._failed: set[str] = set()
        self._round = -1

    def answer(self, participant: str, evaluated: Evaluated) -> None:
        """An evaluation arrived; those of other models or of others than the asked do not count."""
        evaluation = self._wiring.state.evaluation
        if evaluation is None or not self._fits(evaluation, participant, evaluated):
            return
        self._turn_to(evaluation)
        if participant in self._answers:
            return
        present = self._roster.present().get(participant)
        announced = present[1].examples if present else evaluated.examples
        self._answers[participant] = (min(evaluated.examples, announced), evaluated.metrics)
        self._wiring.audit(
            EvaluationAudited(
                round=evaluated.round,
                participant=participant,
                examples=evaluated.examples,
                metrics=evaluated.metrics,
            )
        )

    def failed(self, participant: str, failed: Failed) -> None:
        """A participant cannot evaluate: its own code raised. Nobody waits for it any longer."""
        evaluation = self._wiring.state.evaluation
        asked = evaluation is not None and any(s.participant == participant for s in evaluation.selected)
        if evaluation is None or not asked or (failed.round, failed.task) != (evaluation.round, "evaluation"):
            return
        self._turn_to(evaluation)
        if participant not in self._failed | self._answers.keys():
            self._failed.add(participant)
            LOGGER.warning("round %d: %s could not evaluate: %s", failed.round, participant, failed.message)
            self._wiring.audit(
                ParticipantAudited(
                    participant=participant, reason=RejectReason.APP_FAILED, message=failed.message[:2000]
                )
            )

    def check(self) -> None:
        """Close the evaluation if nothing more is to be expected."""
        evaluation = self._wiring.state.evaluation
        if evaluation is None:
            return
        self._turn_to(evaluation)
        present = self._roster.present()
        answered = self._answers.keys() | self._failed
        missing = [
            selected.participant
            for selected in evaluation.selected
            if selected.participant not in answered
            and selected.participant in present
            and present[selected.participant][1].evaluates
        ]
        if not missing or self._wiring.monotonic() >= self._deadline(evaluation):
            self.close()

    def close(self) -> None:
        """Close the open evaluation with the answers that are there."""
        evaluation = self._wiring.state.evaluation
        if evaluation is None:
            return
        self._turn_to(evaluation)
        found = means(self._bounded_answers())
        self._wiring.append(EvaluationClosed(round=evaluation.round, participants=len(self._answers), metrics=found))
        if found:
            text = ", ".join(f"{name}={value:.4g}" for name, value in found.items())
            LOGGER.info("round %d evaluated by %d: %s", evaluation.round, len(self._answers), text)

    def _bounded_answers(self) -> dict[str, tuple[int, dict[str, float]]]:
        """The answers with weights as in the sum: nobody outweighs all others by announcing much."""
        if not self._answers:
            return {}
        scale = weight_scale([weight for weight, _ in self._answers.values()])
        return {name: (min(weight, scale), metrics) for name, (weight, metrics) in self._answers.items()}

    def next_check(self) -> float | None:
        """When the evaluation ends at the latest, in monotonic seconds."""
        evaluation = self._wiring.state.evaluation
        return self._deadline(evaluation) if evaluation else None

    def _deadline(self, evaluation: OpenEvaluation) -> float:
        return self._wiring.clock.at(evaluation.deadline_ms)

    def _turn_to(self, evaluation: OpenEvaluation) -> None:
        if evaluation.round != self._round:
            self._round = evaluation.round
            self._answers = {}
            self._failed = set()

    @staticmethod
    def _fits(evaluation: OpenEvaluation, participant: str, evaluated: Evaluated) -> bool:
        asked = any(selected.participant == participant for selected in evaluation.selected)
        return asked and (evaluated.round, evaluated.model) == (evaluation.round, evaluation.model.pointer.digest)
