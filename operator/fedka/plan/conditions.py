"""The conditions: what alerts, `kubectl wait`, Flux and Argo read.

Ready means "what the spec asks has been done", so it is True while running, suspended and after Complete.
"""

from dataclasses import dataclass

from fedka.api.conditions import Condition, ConditionStatus, find_condition, observe_condition
from fedka.api.reasons import ConditionType, Reason
from fedka.plan.names import child_name
from fedka.plan.outcome import Outcome, outcome
from fedka.plan.pod_trouble import pod_trouble
from fedka.plan.refusals import refused
from fedka.plan.restarts import aggregator_failure, aggregator_restarts, has_last_word
from fedka.plan.snapshot import Role, Snapshot, Trouble
from fedka.plan.stage import Block, Stage, provisioned_once, stage, stalled
from fedka.plan.topics import topics_stand
from fedka.wire.selection import round_size

MESSAGE_LIMIT = 1024
NO_QUOTAS = "; its users get no byte-rate quotas: the operator's Kafka client cannot set them"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A condition before it is dated; `holds` None means unknown."""

    holds: bool | None
    reason: str
    message: str


def _yes(reason: str, message: str) -> Verdict:
    return Verdict(holds=True, reason=reason, message=message)


def _no(reason: str, message: str) -> Verdict:
    return Verdict(holds=False, reason=reason, message=message)


def _unknown(reason: str, message: str) -> Verdict:
    return Verdict(holds=None, reason=reason, message=message)


def conditions(snapshot: Snapshot) -> tuple[Condition, ...]:
    """All conditions as they are now; a transition time changes only with its status."""
    kafka, aggregator = _kafka_ready(snapshot), _aggregator_ready(snapshot)
    ready = _ready(snapshot, kafka, aggregator)
    stall = _stalled(snapshot)
    verdicts = {
        ConditionType.READY: ready,
        ConditionType.KAFKA_READY: kafka,
        ConditionType.AGGREGATOR_READY: aggregator,
        ConditionType.QUORUM_AVAILABLE: _quorum_available(snapshot),
        ConditionType.RECONCILING: _reconciling(ready, stall),
        ConditionType.STALLED: stall,
        ConditionType.SUSPENDED: _suspended(snapshot),
        ConditionType.COMPLETE: _ended(outcome(snapshot), complete=True),
        ConditionType.FAILED: _ended(outcome(snapshot), complete=False),
    }
    current = snapshot.status.conditions
    for type_, verdict in verdicts.items():
        current = observe_condition(
            current,
            type_,
            status=verdict.holds,
            reason=verdict.reason,
            message=verdict.message[:MESSAGE_LIMIT],
            generation=snapshot.training.metadata.generation,
            now=snapshot.now,
        )
    return current


def needed_participants(snapshot: Snapshot) -> int:
    """Participants that must be present before a round opens."""
    rounds = snapshot.training.spec.rounds
    if rounds.min_available is not None:
        return rounds.min_available
    everybody = len(snapshot.training.spec.participants)
    return round_size(
        present=everybody,
        sample_size=rounds.sample_size,
        over_selection=rounds.over_selection,
        quorum=rounds.quorum,
    ).quorum


def _ready(snapshot: Snapshot, kafka: Verdict, aggregator: Verdict) -> Verdict:  # noqa: PLR0911  one line a cause, in the order they weigh
    end, block, generation = outcome(snapshot), stalled(snapshot), snapshot.training.metadata.generation
    if end is not None:
        return Verdict(holds=end.complete, reason=end.reason, message=end.message)
    if block is not None:
        return _no(block.reason, block.message)
    now = stage(snapshot)
    if now is Stage.SUSPENDED and not provisioned_once(snapshot):
        return _yes(Reason.SUSPENDED_BY_SPEC, "suspended before it was begun: the spec is valid")
    if kafka.holds is not True:
        return _no(kafka.reason, kafka.message)
    published = snapshot.published.spec if snapshot.published is not None else None
    if published is None or published.generation < generation:
        message = f"generation {generation} has not been delivered to the run's pods yet"
        return _no(Reason.SPEC_NOT_DELIVERED, message)
    if now is Stage.SUSPENDED:
        return _yes(Reason.SUSPENDED_BY_SPEC, "suspended as spec.suspend asks")
    if aggregator.holds is not True:
        return _no(aggregator.reason, aggregator.message)
    return _ready_to_run(snapshot)


def _ready_to_run(snapshot: Snapshot) -> Verdict:
    """Before the first round, the Managed participants must be there: starting External ones is not ours to do."""
    state = snapshot.state
    managed = [p.name for p in snapshot.training.spec.participants if p.managed]
    absent = [name for name in managed if name not in state.present]
    if absent and not state.opened_once:
        names = ", ".join(absent[:5]) + (" and others" if len(absent) > len(absent[:5]) else "")
        return _no(Reason.WAITING_FOR_PARTICIPANTS, f"{len(absent)} participants have not started: {names}")
    if state.attempt is None and len(state.present) < needed_participants(snapshot):
        return _yes(Reason.WAITING_FOR_PARTICIPANTS, _presence(snapshot))
    return _yes(Reason.RUNNING, "the spec is in force")


def _kafka_ready(snapshot: Snapshot) -> Verdict:
    if snapshot.kafka is None:
        name = snapshot.training.spec.kafka.cluster_name
        return _unknown(Reason.UNKNOWN_KAFKA_CLUSTER, f"no Kafka cluster {name} is configured")
    if snapshot.trouble is not None:
        return _no(_trouble_reason(snapshot.trouble), snapshot.trouble.message)
    end = outcome(snapshot)
    if end is not None and end.reason == Reason.JOURNAL_LOST:
        return _no(Reason.JOURNAL_LOST, end.message)
    if end is not None or topics_stand(snapshot):
        quotas = NO_QUOTAS if snapshot.kafka.identities and end is None else ""
        return _yes(Reason.TOPICS_READY, f"the run's topics exist with the settings they need{quotas}")
    return _no(Reason.TOPICS_PENDING, "the run's topics are not all there yet")


def _trouble_reason(trouble: Trouble) -> Reason:
    if trouble.refused:
        return Reason.PROVISIONING_REFUSED
    return Reason.KAFKA_CREDENTIALS_REFUSED if trouble.denied else Reason.KAFKA_UNREACHABLE


def _aggregator_ready(snapshot: Snapshot) -> Verdict:
    if outcome(snapshot) is not None:
        return _no(Reason.AGGREGATOR_FINISHED, "the run has ended")
    job = snapshot.jobs.get(child_name(snapshot.training, Role.AGGREGATOR))
    if stage(snapshot) is Stage.SUSPENDED:
        return _no(Reason.AGGREGATOR_SUSPENDED, "no aggregator runs while the training is suspended")
    if job is None or job.finished is not None or job.suspended or job.deleting:
        return _without_aggregator(snapshot)
    trouble = pod_trouble(snapshot, job)
    if not snapshot.journal_seen:
        cause = f": {trouble}" if trouble is not None else ""
        return _no(Reason.AGGREGATOR_STARTING, f"the aggregator has not written to its journal yet{cause}")
    if trouble is not None and not trouble.passing:
        return _no(Reason.AGGREGATOR_RESTARTING, f"the aggregator's new pod does not start: {trouble}")
    return _yes(Reason.AGGREGATOR_STARTED, "the aggregator is at work")


def _without_aggregator(snapshot: Snapshot) -> Verdict:
    """No Job of it is there to run: it is refused, or failed, or has yet to be made."""
    name = child_name(snapshot.training, Role.AGGREGATOR)
    refusal, failure = refused(snapshot, name), aggregator_failure(snapshot)
    if refusal is not None and name not in snapshot.jobs:
        return _no(Reason.AGGREGATOR_STARTING, refusal.message)
    if failure is None:
        return _no(Reason.AGGREGATOR_STARTING, "the aggregator's Job is not running yet")
    if name in snapshot.jobs and has_last_word(snapshot, snapshot.jobs[name]):
        return _no(Reason.AGGREGATOR_FINISHED, "the aggregator has ended in order: its last word is being read")
    count = aggregator_restarts(snapshot)
    return _no(Reason.AGGREGATOR_RESTARTING, f"restart {count}: {failure.message or 'its pod failed'}")


def _quorum_available(snapshot: Snapshot) -> Verdict:
    enough = len(snapshot.state.present) >= needed_participants(snapshot)
    before = find_condition(snapshot.status.conditions, ConditionType.QUORUM_AVAILABLE)
    if not snapshot.run_known and before is not None:  # the journal of an ended run is not read again
        holds = {ConditionStatus.TRUE: True, ConditionStatus.FALSE: False}.get(before.status)
        return Verdict(holds=holds, reason=before.reason, message=before.message)
    if snapshot.state.epoch == 0:
        return _unknown(Reason.AGGREGATOR_STARTING, "nobody has counted the participants yet")
    reason = Reason.ENOUGH_PARTICIPANTS if enough else Reason.TOO_FEW_PARTICIPANTS
    return Verdict(enough, reason, _presence(snapshot))


def _presence(snapshot: Snapshot) -> str:
    return f"{len(snapshot.state.present)} participants are present, a round needs {needed_participants(snapshot)}"


def _stalled(snapshot: Snapshot) -> Verdict:
    end = outcome(snapshot)
    cause: Outcome | Block | None = None if end is not None and end.complete else end or stalled(snapshot)
    if cause is None:
        return _no(Reason.NOT_STALLED, "no person need act")
    return _yes(cause.reason, cause.message)


def _reconciling(ready: Verdict, stall: Verdict) -> Verdict:
    if ready.holds or stall.holds:
        return _no(Reason.UP_TO_DATE, "nothing is left to be done")
    return _yes(ready.reason, ready.message)


def _suspended(snapshot: Snapshot) -> Verdict:
    now = stage(snapshot)
    if now is Stage.SUSPENDED:
        return _yes(Reason.SUSPENDED_BY_SPEC, "no round is open, and none will be opened")
    if now is Stage.SUSPENDING:
        return _no(Reason.SUSPENDING, "suspends as soon as the open round has ended")
    return _no(Reason.NOT_SUSPENDED, "spec.suspend is false or the run has ended")


def _ended(end: Outcome | None, *, complete: bool) -> Verdict:
    if end is None or end.complete is not complete:
        reason = Reason.NOT_FINISHED if complete else Reason.NOT_FAILED
        return _no(reason, "the run has not reached its end" if complete else "the run has not failed")
    return _yes(end.reason, end.message)
