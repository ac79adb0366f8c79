"""What running pods are told: the shared part of the spec, as the spec topic's next record.

Everybody of the run reads it, so nothing that belongs to one participant (its config, its template) may be in it.
"""

from fedka.api.spec import TrainingSpec
from fedka.plan.outcome import order_is_due, stop_order
from fedka.plan.parts import NOTHING, Part
from fedka.plan.snapshot import Snapshot
from fedka.plan.stage import Stage, blocked, stage
from fedka.wire import records as r


def spec_record(snapshot: Snapshot) -> Part:
    """Publish when the newest record says something else. A record of a newer generation is never followed by an older
    one: this snapshot is then behind.
    """
    if not _applies(snapshot):
        return NOTHING
    wanted = wanted_spec(snapshot)
    published = snapshot.published.spec if snapshot.published is not None else None
    if published is not None:
        if published.generation > wanted.generation:
            return NOTHING
        if published.generation == wanted.generation:
            wanted = wanted.model_copy(update={"revision": published.revision})
            if wanted == published:
                return NOTHING
            wanted = wanted.model_copy(update={"revision": published.revision + 1})
    return Part(spec=wanted)


def _applies(snapshot: Snapshot) -> bool:
    if not snapshot.followed or snapshot.trouble is not None or blocked(snapshot) is not None:
        return False
    if snapshot.state.ended:
        return False
    now = stage(snapshot)
    return (now is Stage.ENDED and order_is_due(snapshot)) or now in {Stage.LIVE, Stage.SUSPENDING, Stage.SUSPENDED}


def wanted_spec(snapshot: Snapshot) -> r.Spec:
    """The record that the spec asks for, at revision 0."""
    spec = snapshot.training.spec
    return r.Spec(
        generation=snapshot.training.metadata.generation,
        participants=tuple(participant.name for participant in spec.participants),
        rounds=r.Rounds(**spec.rounds.model_dump(mode="json", by_alias=False)),
        strategy=r.Strategy(type=spec.strategy.type, weighting=spec.strategy.weighting.value),
        evaluation=_evaluation(spec),
        max_norm=spec.update.max_norm,
        max_model_bytes=spec.update.max_model_size(),
        suspend=spec.suspend,
        stop=stop_order(snapshot),
    )


def _evaluation(spec: TrainingSpec) -> r.Evaluation:
    rule = spec.evaluation.stop
    stop = r.StopRule(**rule.model_dump(mode="json", by_alias=False)) if rule is not None else None
    return r.Evaluation(every_rounds=spec.evaluation.every_rounds, stop=stop)
