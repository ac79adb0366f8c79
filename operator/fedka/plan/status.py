"""The status as it should read now, and the events that tell what changed."""

from fedka.api.reasons import Phase
from fedka.api.status import JournalPosition, TrainingStatus
from fedka.plan.conditions import conditions, needed_participants
from fedka.plan.events import transitions
from fedka.plan.images import images_status
from fedka.plan.outcome import outcome
from fedka.plan.participant_status import participants_status
from fedka.plan.parts import NOTHING, Part
from fedka.plan.progress import model_status, progress, rounds_status
from fedka.plan.snapshot import Snapshot
from fedka.plan.stage import Stage, provisioned_once, stage, stalled
from fedka.plan.topics import topics_made


def status(snapshot: Snapshot) -> Part:
    """Write the status where it differs. While the training is being deleted nobody needs one."""
    if stage(snapshot) is Stage.DELETING or _settling(snapshot):
        return NOTHING
    wanted = wanted_status(snapshot)
    if wanted == snapshot.status:
        return NOTHING
    return Part(status=wanted, events=transitions(snapshot.status, wanted))


def _settling(snapshot: Snapshot) -> bool:
    """Whether the operator was just restarted and has yet to find the run again: what the status says stands, or every
    restart would make every training look unready for a moment.
    """
    if snapshot.status.journal is None or snapshot.trouble is not None:
        return False
    found = snapshot.run_known and topics_made(snapshot)
    return not found and outcome(snapshot) is None and stalled(snapshot) is None


def wanted_status(snapshot: Snapshot) -> TrainingStatus:
    """All of it. What the journal says is taken over once it has been read as far as the status had got before: a
    replay must not be seen to walk through the past.
    """
    before, end = snapshot.status, outcome(snapshot)
    started = stage(snapshot) is not Stage.BLOCKED and provisioned_once(snapshot)
    status = before.model_copy(
        update={
            "observed_generation": snapshot.training.metadata.generation,
            "applied_generation": _applied_generation(snapshot),
            "phase": _phase(snapshot),
            "conditions": conditions(snapshot),
            "kafka_id": snapshot.run_id if started else before.kafka_id,
            "start_time": before.start_time or (snapshot.now if started else None),
            "completion_time": before.completion_time or (end.at if end is not None else None),
            "images": images_status(snapshot),
            "participants": participants_status(snapshot)
            if snapshot.run_known or before.participants is None
            else before.participants,
        }
    )
    if not snapshot.run_known:
        return status
    return status.model_copy(
        update={
            "rounds": rounds_status(snapshot),
            "model": model_status(snapshot),
            "progress": progress(snapshot),
            "journal": _journal(snapshot),
        }
    )


def _applied_generation(snapshot: Snapshot) -> int | None:
    if snapshot.published is None:
        return snapshot.status.applied_generation
    return snapshot.published.spec.generation


def _journal(snapshot: Snapshot) -> JournalPosition | None:
    topic_id = snapshot.topic_ids.get(snapshot.topics.journal)
    if snapshot.state.epoch == 0 or topic_id is None:
        return snapshot.status.journal
    state = snapshot.state
    return JournalPosition(topic_id=topic_id, offset=snapshot.run.offset, epoch=state.epoch, seq=max(0, state.seq))


def _phase(snapshot: Snapshot) -> Phase:
    end = outcome(snapshot)
    if end is not None:
        return Phase.COMPLETE if end.complete else Phase.FAILED
    now = stage(snapshot)
    if now is Stage.BLOCKED:
        return Phase.PENDING
    if now is Stage.SUSPENDED:
        return Phase.SUSPENDED
    if not snapshot.run_known:
        return (snapshot.status.phase if snapshot.journal_seen else None) or Phase.PROVISIONING
    if snapshot.state.epoch == 0:
        return Phase.PROVISIONING
    return Phase.RUNNING if _rounds_run(snapshot) else Phase.WAITING_FOR_PARTICIPANTS


def _rounds_run(snapshot: Snapshot) -> bool:
    """Whether a round is open, or nothing keeps the next one from being opened."""
    state = snapshot.state
    return state.attempt is not None or (state.opened_once and len(state.present) >= needed_participants(snapshot))
