"""A run's journal and audit topic made into what a status can say: a pure reducer, replayed from the first record.

The journal decides what exists (`fedka.wire.journal`), so records of zombies and repeated requests change nothing but
the position. The audit topic only explains: who was refused why. It is written by the same aggregators without a chain,
so a record counts if its epoch is not below the newest one, and each commit is told of once.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from fedka.api.reasons import DetailReason
from fedka.plan.snapshot import ParticipantFacts, Place, RunView
from fedka.wire import records as r
from fedka.wire.codec import MalformedRecord, audit_decoder
from fedka.wire.journal import JournalPosition
from fedka.wire.reading import Reading, read_on
from fedka.wire.run_state import At, RunState

MOST_PARTICIPANTS = 8192  # told apart; beyond it the counts of newcomers are not shown

_AUDIT = audit_decoder()


class Projection(NamedTuple):
    """Where the reading stands, and the view so far."""

    position: JournalPosition = JournalPosition()
    view: RunView = RunView()
    expects_start: bool = True  # the next start of an aggregator is no restart
    audit_epoch: int = 0
    audited: Mapping[str, int] = MappingProxyType({})  # participant -> control offset last told of


def read_journal(projection: Projection, data: bytes | None, at: At) -> Projection:
    """The projection after one more record of the journal."""
    before = projection.view.state
    reading, found = read_on(Reading(projection.position, before), data, at)
    view = projection.view._replace(state=reading.state, offset=at.offset)
    projection = projection._replace(position=reading.position, view=view)
    if found.said is None or before.ended:  # what exists and cannot be read says nothing that this version understands
        return projection
    return _told(projection, found.said, before)


def read_audit(projection: Projection, data: bytes | None) -> Projection:  # noqa: PLR0911  one return a kind of record
    """The projection after one more record of the audit topic."""
    try:
        record = _AUDIT.decode(data)
    except MalformedRecord:
        return projection
    if record is None or record.epoch < projection.audit_epoch:
        return projection
    projection = projection._replace(audit_epoch=record.epoch)
    if isinstance(record, r.UpdateAudited):
        return _update_audited(projection, record)
    if isinstance(record, r.EvaluationAudited):
        return _change(projection, record.participant, metrics=record.metrics)
    if isinstance(record, r.LateAudited):
        message = f"no update of round {record.round} had come when its {record.deadline_seconds} s were over"
        return _refuse(projection, record.participant, DetailReason.LATE, message, rejected_round=record.round)
    if isinstance(record, r.ParticipantAudited):
        at = None if record.reason is None else (record.epoch, record.seq)
        return _refuse(projection, record.participant, record.reason, record.message, refused_at=at)
    return projection


def caught_up(projection: Projection, *, expects_start: bool = False) -> Projection:
    """The projection once everything has been read that was there at first.

    `expects_start`: the aggregator has been ended together with the operator, so its starts up to the next one were no
    failures of it.
    """
    view = projection.view._replace(caught_up=True)
    if expects_start:
        return projection._replace(expects_start=True, view=view._replace(restarts=0))
    return projection._replace(view=view)


def has_turned(before: RunView, after: RunView) -> bool:
    """Whether more was read than rounds and updates of a run that goes on as before."""
    return _outline(before) != _outline(after)


def _outline(view: RunView) -> tuple[object, ...]:
    state = view.state
    told = (view.caught_up, view.restarts, state.epoch, state.suspended, state.ended, state.opened_once)
    return (*told, state.layout_digest, state.present.keys())


def _told(projection: Projection, record: r.JournalRecord, before: RunState) -> Projection:
    """What a record says beyond the state of the run."""
    view = projection.view
    if isinstance(record, r.AggregatorStarted):
        return _started(projection)
    if isinstance(record, r.RunSuspended):
        return projection._replace(expects_start=True, view=view._replace(restarts=0))
    if isinstance(record, r.UpdateRejected):
        count = view.participants.get(record.participant, ParticipantFacts()).rejections + 1
        return _change(projection, record.participant, rejections=count)
    if isinstance(record, r.RoundClosed) and before.attempt is not None:
        projection = projection._replace(expects_start=False, view=view._replace(restarts=0))
        opened = before.attempt.opened
        place = (opened.epoch, opened.seq)
        for taken in before.attempt.decided:
            projection = _change(projection, taken.participant, last_round=record.round, last_opened=place)
    return projection


def _started(projection: Projection) -> Projection:
    """A start counts as a restart unless the run begins with it, or goes on with it after a suspension."""
    count = 0 if projection.expects_start else projection.view.restarts + 1
    return projection._replace(expects_start=False, view=projection.view._replace(restarts=count))


def _update_audited(projection: Projection, record: r.UpdateAudited) -> Projection:
    if record.offset <= projection.audited.get(record.participant, -1):
        return projection
    projection = projection._replace(audited={**projection.audited, record.participant: record.offset})
    projection = _change(projection, record.participant, metrics=record.metrics)
    if record.accepted:
        return projection
    return _refuse(projection, record.participant, record.reason, record.message, rejected_round=record.round)


def _refuse(
    projection: Projection,
    participant: str,
    reason: str | None,
    message: str,
    *,
    rejected_round: int | None = None,
    refused_at: Place | None = None,
) -> Projection:
    """What was refused last of a participant: an update of a round, or something else; nothing, as it begins anew."""
    changes = {"reason": reason, "message": message, "rejected_round": rejected_round, "refused_at": refused_at}
    return _change(projection, participant, **changes)


def _change(projection: Projection, participant: str, **changes: object) -> Projection:
    known = projection.view.participants
    if participant not in known and len(known) >= MOST_PARTICIPANTS:
        return projection
    facts = known.get(participant, ParticipantFacts())._replace(**changes)  # type: ignore[arg-type]  # members by name
    return projection._replace(view=projection.view._replace(participants={**known, participant: facts}))
