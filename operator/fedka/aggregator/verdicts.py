"""What became of an attempt's updates: for everybody in the journal, with figures and reasons in the audit topic."""

import logging

from fedka.aggregator.commits import MOST_LOOKED_AT, Refusal
from fedka.aggregator.events import Key
from fedka.aggregator.wiring import Wiring
from fedka.wire.records import (
    Commit,
    LateAudited,
    MissReason,
    RejectReason,
    RoundMissed,
    RoundOpened,
    UpdateAccepted,
    UpdateAudited,
    UpdateDropped,
    UpdateRejected,
)
from fedka.wire.run_state import Attempt

LOGGER = logging.getLogger("fedka.aggregator")
MOST_MESSAGE = 2000


class Verdicts:
    """Writes the verdicts of one attempt."""

    def __init__(self, wiring: Wiring, opened: RoundOpened) -> None:
        self._wiring = wiring
        self._round = opened.round
        self._attempt = opened.attempt
        self._quorum = opened.quorum
        self._skips = opened.skips and opened.round > 0

    def accept(self, key: Key, commit: Commit) -> None:
        """It is verified and folded: final."""
        participant, offset = key
        self._wiring.append(
            UpdateAccepted(round=self._round, attempt=self._attempt, participant=participant, offset=offset)
        )
        self._audit(key, None, "", commit)

    def reject(self, attempt: Attempt, key: Key, refusal: Refusal, commit: Commit | None) -> None:
        """It does not count; after the last commit that is looked at, none of this participant will."""
        participant, offset = key
        looked_at = len(attempt.rejected.get(participant, ())) + 1
        final = refusal.final or looked_at >= MOST_LOOKED_AT
        reason, message = refusal.reason, refusal.message
        LOGGER.warning(
            "round %d: the update of %s is rejected: %s: %s", self._round, participant, reason.value, message
        )
        self._wiring.append(
            UpdateRejected(
                round=self._round, attempt=self._attempt, participant=participant, offset=offset, final=final
            )
        )
        self._audit(key, reason, message, commit)

    def drop(self, key: Key, message: str) -> None:
        """It was accepted and can no longer be read."""
        participant, offset = key
        LOGGER.error("round %d: the accepted update of %s is lost: %s", self._round, participant, message)
        self._wiring.append(
            UpdateDropped(round=self._round, attempt=self._attempt, participant=participant, offset=offset)
        )

    def late(self, participant: str, deadline_seconds: int) -> None:
        """Nothing of it had come by the deadline: for its owner to know, as it costs no rejection."""
        LOGGER.info("round %d: no answer of %s came within %d s", self._round, participant, deadline_seconds)
        self._wiring.audit(
            LateAudited(
                round=self._round, attempt=self._attempt, participant=participant, deadline_seconds=deadline_seconds
            )
        )

    def miss(self, attempt: Attempt, reason: MissReason) -> None:
        """The attempt ends without a model."""
        accepted, quorum = len(attempt.accepted), self._quorum
        where = f"round {self._round}, attempt {self._attempt}"
        LOGGER.warning("%s: %d of the %d updates needed (%s)", where, accepted, quorum, reason.value)
        self._wiring.append(
            RoundMissed(
                round=self._round,
                attempt=self._attempt,
                accepted=accepted,
                rejected=attempt.rejections,
                reason=reason,
                skipped=self._skips,
            )
        )

    def _audit(self, key: Key, reason: RejectReason | None, message: str, commit: Commit | None) -> None:
        self._wiring.audit(
            UpdateAudited(
                round=self._round,
                attempt=self._attempt,
                participant=key[0],
                offset=key[1],
                accepted=reason is None,
                reason=reason,
                message=message[:MOST_MESSAGE],
                examples=commit.examples if commit else 0,
                metrics=commit.metrics if commit else {},
            )
        )
