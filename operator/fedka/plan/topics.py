"""The run's topics, their settings, and how much each keeps.

Nothing is left to a broker's defaults on which a run's correctness depends: seven days of retention would silently
restart a run that was suspended for eight. Sizes are known once the journal says what the layout is.
"""

from collections.abc import Mapping
from datetime import timedelta

from fedka.api.learning import Retention
from fedka.plan.outcome import order_is_due
from fedka.plan.parts import NOTHING, Part, TopicSpec, seconds_until
from fedka.plan.snapshot import Snapshot, Trouble
from fedka.plan.stage import Stage, blocked, provisioned_once, stage
from fedka.wire.layout import Layout
from fedka.wire.names import UPDATE_PARTITIONS

MIB = 2**20
KEEP_ALL = "-1"
MOST_SEGMENT_BYTES = 1024 * MIB
LEAST_SEGMENT_BYTES = 16 * MIB
CHUNK_OVERHEAD_BYTES = 256  # headers, batch and record framing of one chunk
UPDATES_KEPT = 3
SPARE_MODELS = 2
REFUSED_RETRY = timedelta(seconds=60)
PROBE_SECONDS = 5.0
PROBE_PAUSE = timedelta(seconds=1)  # a Kafka that answers questions and takes no records would be tried without a pause
SAFE_REPLICATION = 3


def topics(snapshot: Snapshot) -> Part:
    """Make what is missing, alter what differs; while Kafka is in trouble, only ask whether it is back."""
    if not _applies(snapshot):
        return _until_told(snapshot)
    trouble = snapshot.trouble
    if trouble is not None and not trouble.refused:
        return _probe(snapshot, trouble)
    if trouble is not None and snapshot.now < trouble.at + REFUSED_RETRY:
        return Part(requeue_after=seconds_until(trouble.at + REFUSED_RETRY, snapshot.now))
    if snapshot.doubt:
        return Part(look_up=(snapshot.topics.journal,))
    wanted = _ensure(snapshot)
    if trouble is not None and wanted.is_empty():  # what was refused was no topic: an answer ends the trouble
        return Part(look_up=(snapshot.topics.journal,))
    return wanted


def _until_told(snapshot: Snapshot) -> Part:
    """Of an ended run, Kafka's return is awaited for what is still to be said."""
    trouble = snapshot.trouble
    if trouble is None or stage(snapshot) is not Stage.ENDED or not order_is_due(snapshot):
        return NOTHING
    return _probe(snapshot, trouble)


def _probe(snapshot: Snapshot, trouble: Trouble) -> Part:
    again = trouble.at + PROBE_PAUSE
    if snapshot.now < again:
        return Part(requeue_after=seconds_until(again, snapshot.now))
    return Part(look_up=(snapshot.topics.journal,), requeue_after=PROBE_SECONDS)


def _ensure(snapshot: Snapshot) -> Part:
    """Once an aggregator has started, nothing is made before it is known that nothing was lost: first the ids, then
    the replay, which tells whose topic must be there and whose is new.
    """
    wanted = wanted_topics(snapshot)
    unknown = tuple(spec.name for spec in wanted if spec.name not in snapshot.topic_ids)
    barred = blocked(snapshot) is not None  # a run that lives goes on with what it has, and gets nothing new
    if (snapshot.journal_seen or barred) and unknown:
        return Part(look_up=unknown)
    if snapshot.journal_seen and not snapshot.run_known:
        return NOTHING
    if barred:
        wanted = tuple(spec for spec in wanted if snapshot.topic_ids[spec.name] is not None)
    return Part(topics=tuple(spec for spec in wanted if snapshot.ensured.get(spec.name) != spec))


def topics_stand(snapshot: Snapshot) -> bool:
    """Whether every topic exists, as far as is known; a setting that is about to be altered is no outage."""
    if snapshot.kafka is None or not topics_made(snapshot):
        return False
    participants = snapshot.training.spec.participants
    return all(snapshot.topics.update(participant.name) in snapshot.ensured for participant in participants)


def topics_made(snapshot: Snapshot, participant: str | None = None) -> bool:
    """Whether the topics that a pod needs exist, whatever their settings."""
    names = snapshot.topics
    needed = [names.spec, names.journal, names.audit, names.model, names.state]
    needed += [names.update(participant)] if participant else []
    return all(name in snapshot.ensured for name in needed)


def wanted_topics(snapshot: Snapshot) -> tuple[TopicSpec, ...]:
    """All topics of the run as the spec and the layout want them."""
    names = snapshot.topics
    forever = _config(snapshot, retention=KEEP_ALL)
    model = _config(snapshot, **_model_retention(snapshot))
    update = _config(snapshot, **_update_retention(snapshot))
    return (
        TopicSpec(names.spec, 1, forever),
        TopicSpec(names.journal, 1, forever),
        TopicSpec(names.audit, 1, forever),
        TopicSpec(names.model, 1, model),
        TopicSpec(names.state, 1, forever),
        *(TopicSpec(names.update(p.name), UPDATE_PARTITIONS, update) for p in snapshot.training.spec.participants),
    )


def _applies(snapshot: Snapshot) -> bool:
    now = stage(snapshot)
    if now is Stage.SUSPENDED and not provisioned_once(snapshot):
        return False  # made suspended: it is checked, and nothing else
    return now in {Stage.LIVE, Stage.SUSPENDED, Stage.SUSPENDING}


def _config(snapshot: Snapshot, *, retention: str, segment: str | None = None) -> Mapping[str, str]:
    config = {
        "cleanup.policy": "delete",  # compaction would take records out of the journal's chain
        "retention.ms": KEEP_ALL,  # 7 days by default: a run that was suspended longer would begin anew
        "retention.bytes": retention,
        "message.timestamp.type": "LogAppendTime",  # deadlines are judged by the broker's time
        "unclean.leader.election.enable": "false",  # an acknowledged record must not disappear
    }
    if segment is not None:
        config["segment.bytes"] = segment  # only whole segments are deleted: 1 GiB would keep hundreds of small models
    if snapshot.kafka is not None and snapshot.kafka.replication >= SAFE_REPLICATION:
        config["min.insync.replicas"] = "2"  # one broker may die without taking an acknowledged record along
    return config


def _encoded_bytes(layout: Layout) -> int:
    return layout.total_bytes + layout.chunk_count * CHUNK_OVERHEAD_BYTES


def _kept(snapshot: Snapshot, copies: int) -> dict[str, str]:
    layout = snapshot.state.layout
    if layout is None or snapshot.training.spec.kafka.retention is Retention.AUDIT:
        return {"retention": KEEP_ALL}
    size = _encoded_bytes(layout)
    segment = min(MOST_SEGMENT_BYTES, max(LEAST_SEGMENT_BYTES, size))
    return {"retention": str(copies * size + segment), "segment": str(segment)}


def _update_retention(snapshot: Snapshot) -> dict[str, str]:
    return _kept(snapshot, UPDATES_KEPT)


def _model_retention(snapshot: Snapshot) -> dict[str, str]:
    """Each kill while publishing costs the space of one model, a zombie's too."""
    spec = snapshot.training.spec
    copies = spec.rounds.model_history_limit + spec.failure_policy.max_aggregator_restarts + SPARE_MODELS
    return _kept(snapshot, copies)
