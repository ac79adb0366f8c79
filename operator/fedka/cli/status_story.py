"""A run told in lines by its resource alone, where the journal cannot be read: a few words less than `Story` knows."""

from collections.abc import Callable

from fedka.api.reasons import ParticipantState
from fedka.api.status import ParticipantsStatus, RoundRecord, RoundsStatus
from fedka.api.training import FederatedTraining
from fedka.cli.causes import cause_of
from fedka.cli.story import Story
from fedka.plan.events import TROUBLES

_TROUBLE = (ParticipantState.FAILED, ParticipantState.LOST, ParticipantState.REJECTED)


class StatusStory:
    """Told through `say`; `alarm` gets what somebody should look at. Of what was before, only how far it had got."""

    def __init__(self, *, say: Callable[[str], None], alarm: Callable[[str], None]) -> None:
        self._say = say
        self._alarm = alarm
        self._story = Story(say=say, alarm=alarm, conditions=tuple(TROUBLES))
        self._told: int | None = None  # the last round that was told of
        self._present: int | None = None
        self._troubles: dict[str, tuple[str, ...]] = {}

    def take(self, training: FederatedTraining) -> None:
        """The resource as it is now."""
        self._story.trained(training)
        status = training.status
        if status is None:
            return
        if status.rounds is not None:
            self._rounds(status.rounds)
        if status.participants is not None:
            self._participants(status.participants)

    def _rounds(self, rounds: RoundsStatus) -> None:
        if self._told is None:
            self._told = max((past.round for past in rounds.history), default=0)
            if self._told:
                self._say(f"after round {self._told} of {rounds.total}")
        for past in rounds.history:
            if past.round > self._told:
                self._told = past.round
                (self._alarm if past.missed else self._say)(_round_line(past, rounds.total))

    def _participants(self, participants: ParticipantsStatus) -> None:
        if participants.present != self._present:
            self._present = participants.present
            self._say(f"{participants.present} of {participants.total} participants present")
        for detail in participants.detail:
            message = cause_of(detail.message or "") or detail.message or ""
            trouble = (str(detail.state), detail.reason or "", message) if detail.state in _TROUBLE else ()
            if trouble and trouble != self._troubles.get(detail.name):
                self._alarm(f"{detail.name} {': '.join(part for part in trouble if part)}")
            self._troubles[detail.name] = trouble


def _round_line(past: RoundRecord, total: int) -> str:
    took = f"  {float(past.duration_seconds):.2f} s" if past.duration_seconds is not None else ""
    what = "missed, " if past.missed else ""
    rejected = f", {past.rejected} rejected" if past.rejected else ""
    metrics = "".join(f"  {each.name} {float(each.value):.4g}" for each in past.metrics)
    updates = "1 update" if past.accepted == 1 else f"{past.accepted} updates"
    return f"round {past.round}/{total}{took}  {what}{updates}{rejected}{metrics}"
