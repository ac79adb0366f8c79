"""What a participant has to do next: a pure function of the run's state and of what this process has done.

Whatever was missed, repeated or overtaken while the app's code ran needs no case of its own: the newest state is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fedka.wire.records import RoundOpened, Selected
from fedka.wire.run_state import Attempt, OpenEvaluation, RoundPhase, RunState


@dataclass(frozen=True, slots=True)
class Leave:
    """The run has ended."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer this attempt: with an update, in round 0 with the first model. `afresh`: what was sent was refused."""

    opened: RoundOpened
    afresh: bool = False


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Evaluate a global model."""

    asked: OpenEvaluation


Task = Leave | Answer | Evaluate


@dataclass(slots=True)
class Done:
    """What this process has said."""

    answered: str | None = None  # nonce of the last attempt that was answered, by a commit or a failure
    commits: set[int] = field(default_factory=set)  # offsets of commits for that attempt
    evaluated: int = -1  # the round whose model was evaluated last

    def answer(self, nonce: str, commit: int | None = None) -> None:
        """Remember an answer to an attempt: the offset of a commit, or None for a failure."""
        if nonce != self.answered:
            self.commits.clear()
        self.answered = nonce
        if commit is not None:
            self.commits.add(commit)


def next_task(state: RunState, me: str, done: Done, *, evaluates: bool) -> Task | None:
    """The next task, or None where the journal has to say more first.

    An evaluation comes before the next training: its model is that training's base.
    """
    if state.ended:
        return Leave()
    asked = state.evaluation
    if evaluates and asked is not None and asked.round > done.evaluated and _among(me, asked.selected):
        return Evaluate(asked)
    attempt = state.attempt
    if attempt is None or not wants(attempt, me):
        return None
    opened = attempt.opened
    refused = bool(done.commits) and done.commits.issubset(attempt.rejected.get(me, ()))  # the last is being judged
    if done.answered == opened.nonce and not refused:
        return None
    return Answer(opened, afresh=refused)


def still_wanted(state: RunState, me: str, opened: RoundOpened) -> bool:
    """Whether an answer to this attempt can still count."""
    attempt = state.attempt
    return attempt is not None and attempt.opened.nonce == opened.nonce and wants(attempt, me)


def wants(attempt: Attempt, me: str) -> bool:
    """Whether the attempt waits for an answer of this participant."""
    settled = me in attempt.accepted or me in attempt.refused or me in attempt.dropped
    return _among(me, attempt.opened.selected) and not settled and attempt.phase is RoundPhase.COLLECTING


def _among(me: str, selected: Sequence[Selected]) -> bool:
    return any(who.participant == me for who in selected)
