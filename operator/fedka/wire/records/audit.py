"""The audit topic: facts about single participants, which no other participant may read."""

from typing import Literal

from pydantic import Field

from fedka.wire.records.form import Count, Metrics, Name, Offset, Record, Text
from fedka.wire.records.reasons import RejectReason


class AuditRecord(Record):
    """Informational; keyed by the (epoch, seq) of the journal record that it belongs to or follows."""

    epoch: int = Field(default=0, ge=0)
    seq: int = Field(default=0, ge=0)


class UpdateAudited(AuditRecord):
    """What became of one commit, with the figures that no other participant may see."""

    type: Literal["audit.update"] = "audit.update"
    round: Count
    attempt: int
    participant: Name
    offset: Offset
    accepted: bool
    reason: RejectReason | None = None
    message: Text = ""
    examples: int = 0
    metrics: Metrics = Field(default_factory=dict)


class EvaluationAudited(AuditRecord):
    """One participant's evaluation."""

    type: Literal["audit.evaluation"] = "audit.evaluation"
    round: Count
    participant: Name
    examples: int
    metrics: Metrics = Field(default_factory=dict)


class ParticipantAudited(AuditRecord):
    """What a hello said, or why it was not taken (`reason`)."""

    type: Literal["audit.participant"] = "audit.participant"
    participant: Name
    examples: int = 0
    software: Text = ""
    reason: RejectReason | None = None
    message: Text = ""


class LateAudited(AuditRecord):
    """Of a participant that was asked, no update had come when the round's deadline was judged."""

    type: Literal["audit.late"] = "audit.late"
    round: Count
    attempt: int
    participant: Name
    deadline_seconds: int = Field(ge=1)


AnyAuditRecord = UpdateAudited | EvaluationAudited | ParticipantAudited | LateAudited
