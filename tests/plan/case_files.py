"""Planner cases as YAML: a snapshot in the words of people, and the plan in as few.

`journal` is a list of sentences (`joined a b`, `first model a`, `round 1 a b`, `opened 2 a b`, ...) that an aggregator
writes, a minute apart from the start of 2026 on; `now` and other times are minutes since then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fedka.api.training import FederatedTraining
from fedka.plan.jobs import job_hash
from fedka.plan.names import LABEL_ROLE, child_name
from fedka.plan.network import network
from fedka.plan.parts import NameTaken, Plan, Refusal
from fedka.plan.settings import KafkaCluster, Settings
from fedka.plan.snapshot import (
    Failure,
    Finished,
    JobView,
    PodView,
    Published,
    Role,
    RunView,
    Shortfall,
    Snapshot,
    Trouble,
)
from fedka.plan.spec_record import wanted_spec
from fedka.plan.topics import wanted_topics
from fedka.reconcile.projection import Projection, caught_up, read_audit, read_journal
from fedka.wire import records as r
from fedka.wire.bundle import KafkaAccess
from fedka.wire.codec import encode
from fedka.wire.journal import JournalPosition, judge, sign, start
from fedka.wire.run_state import At

from ..reconcile import builders

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ACCESS = KafkaAccess(bootstrap_servers="kafka:9092")
UID = "1a2b3c4d-0000-4000-8000-000000000000"


def minute(number: float) -> datetime:
    return EPOCH + timedelta(minutes=number)


def load(case: Mapping[str, Any]) -> Snapshot:
    """The snapshot that a case describes."""
    base = Snapshot(
        training=_training(case),
        settings=Settings(
            {"default": KafkaCluster(ACCESS, identities=case.get("identities", False))},
            state_directory="/var/lib/fedka",
        ),
        now=minute(case["now"]),
        conflicts={name: NameTaken(it, minute(case["now"])) for name, it in case.get("conflicts", {}).items()},
        trouble=_trouble(case),
        shortfall=_shortfall(case),
        doubt=case.get("doubt", False),
        topics_deleted=case.get("topicsDeleted", False),
        children_known=case.get("childrenKnown", True),
    )
    topics = {topic.name: topic for topic in wanted_topics(base)} if case.get("topics", "made") == "made" else {}
    journal = case.get("journal")
    ids: dict[str, str | None] = {name: f"id of {name}" for name in topics}
    ids |= {_full(base, name): id_ for name, id_ in case.get("topicIds", {}).items()}
    snapshot = _with(base, ensured=topics, topic_ids=ids, followed=case.get("followed", journal is not None))
    if journal is not None:
        snapshot = _with(snapshot, run=_run(case))
    if case.get("sized", True):
        snapshot = _with(snapshot, ensured={topic.name: topic for topic in wanted_topics(snapshot)} if topics else {})
    snapshot = _with(snapshot, published=_published(snapshot, case))
    jobs = dict(_jobs(snapshot, case))
    return _with(
        snapshot,
        jobs=jobs,
        pods=tuple(_pods(case)),
        failures={_name(snapshot, member): _failure(values) for member, values in case.get("failures", {}).items()},
        bundles=dict.fromkeys(jobs, "as it is"),
        network_policies=dict(_network_policies(snapshot)) if jobs else {},
        unpatched=dict(_by_uid(snapshot, jobs, case.get("unpatched", {}))),
        kept=dict(_by_uid(snapshot, jobs, case.get("kept", {}))),
        refusals={_name(snapshot, member): _refusal(values) for member, values in case.get("refusals", {}).items()},
    )


def with_egress(snapshot: Snapshot, rules: Sequence[Mapping[str, Any]]) -> Snapshot:
    """The same, where the operator's configuration says what the aggregator may connect to."""
    kafka = snapshot.settings.kafka_clusters["default"]
    return _with(
        snapshot, settings=replace(snapshot.settings, kafka_clusters={"default": replace(kafka, egress=rules)})
    )


def _with(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return replace(snapshot, **changes)


def _training(case: Mapping[str, Any]) -> FederatedTraining:
    obj = builders.training_object(**case.get("spec", {}))
    metadata = {"namespace": "default", "uid": UID, "generation": 1, "finalizers": ["fedka.dev/cleanup"]}
    obj["metadata"] |= metadata | case.get("metadata", {})
    if "deleted" in case:
        obj["metadata"]["deletionTimestamp"] = minute(case["deleted"]).isoformat()
    status = dict(case.get("status", {}))
    for name in ("startTime", "completionTime"):
        if name in status:
            status[name] = minute(status[name]).isoformat()
    status["conditions"] = [
        {"type": type_, "status": word.split()[0], "reason": word.split()[1], "message": "", **_since(0)}
        for type_, word in status.get("conditions", {}).items()
    ]
    return FederatedTraining.from_object(obj | {"status": status})


def _since(number: float) -> dict[str, str]:
    return {"lastTransitionTime": minute(number).isoformat()}


def _trouble(case: Mapping[str, Any]) -> Trouble | None:
    values = case.get("trouble")
    return Trouble(values["message"], minute(values["at"]), values.get("refused", False)) if values else None


def _shortfall(case: Mapping[str, Any]) -> Shortfall | None:
    values = case.get("shortfall")
    return Shortfall(values["read"], values["end"], minute(values["at"])) if values else None


def _full(snapshot: Snapshot, short: str) -> str:
    topics = snapshot.topics
    return topics.update(short.removeprefix("update.")) if short.startswith("update.") else getattr(topics, short)


def _run(case: Mapping[str, Any]) -> RunView:
    projection, position = Projection(), JournalPosition()
    for number, sentence in enumerate(case["journal"]):
        for record in _records(sentence):
            if isinstance(record, r.AggregatorStarted):
                data = start(position, record)
                position, _ = judge(position, data)
            else:
                position, data = sign(position, record)
            at = At(projection.view.offset + 1, int(minute(number).timestamp() * 1000))
            projection = read_journal(projection, data, at)
    for record in case.get("audit", ()):
        projection = read_audit(projection, encode(r.UpdateAudited(**record)))
    return caught_up(projection).view


def _records(sentence: str) -> list[r.JournalRecord]:
    word, _, rest = sentence.partition(" ")
    names = rest.split()
    several = {
        "joined": lambda: builders.joined(*names),
        "first": lambda: builders.first_model(names[1]),
        "round": lambda: builders.whole_round(int(names[0]), *names[1:]),
        "lost": lambda: [r.ParticipantLost(participant=name) for name in names],
        "rejected": lambda: [
            r.UpdateRejected(round=int(names[0]), attempt=1, participant=names[1], offset=50, final=True)
        ],
        "accepted": lambda: [r.UpdateAccepted(round=int(names[0]), attempt=1, participant=names[1], offset=50)],
        "opened": lambda: [builders.opened(int(names[0]), *names[1:])],
        "started": lambda: [r.AggregatorStarted(software="test")],
        "suspended": lambda: [r.RunSuspended()],
        "completed": lambda: [r.RunCompleted(reason="RoundsDone")],
        "failed": lambda: [r.RunFailed(reason=r.FailReason(names[0]), message="as it was told")],
    }
    return several[word]()


def _published(snapshot: Snapshot, case: Mapping[str, Any]) -> Published | None:
    values = case.get("published", {})
    if values is None or not snapshot.followed:
        return None
    changes = {key: value for key, value in values.items() if key != "at"}
    return Published(wanted_spec(snapshot).model_copy(update=changes), minute(values.get("at", 0)))


def _name(snapshot: Snapshot, member: str) -> str:
    aggregator = member == "aggregator"
    return child_name(
        snapshot.training,
        Role.AGGREGATOR if aggregator else Role.PARTICIPANT,
        None if aggregator else member,
    )


def _jobs(snapshot: Snapshot, case: Mapping[str, Any]) -> Iterator[tuple[str, JobView]]:
    for member, given in case.get("jobs", {}).items():
        values = {"state": given} if isinstance(given, str) else given
        role, name = (Role.AGGREGATOR, None) if member == "aggregator" else (Role.PARTICIPANT, member)
        at = minute(values.get("endedAt", 0))
        finished = {
            "failed": Finished(succeeded=False, at=at, message="BackoffLimitExceeded"),
            "complete": Finished(succeeded=True, at=at),
        }
        view = JobView(
            name=_name(snapshot, member),
            uid=f"uid-{member}",
            role=role,
            participant=name,
            hash=values.get("hash", job_hash(snapshot, role, name)),
            restarts=values.get("restarts", 0),
            rounds=values.get("rounds", 0),
            suspended=values["state"] == "suspended",
            deleting=values["state"] == "deleting",
            started=minute(values.get("startedAt", 0)),
            deadline_seconds=values.get("deadline"),
            finished=finished.get(values["state"]),
        )
        yield view.name, view


def _pods(case: Mapping[str, Any]) -> Iterator[PodView]:
    """Those that the case names (`none`: the Job has made none), and one that runs for each other Job that does."""
    running = {member: {"phase": "Running"} for member, job in case.get("jobs", {}).items() if _runs(job)}
    for member, values in (running | case.get("pods", {})).items():
        if values == "none":
            continue
        aggregator = member == "aggregator"
        yield PodView(
            name=f"pod-{member}",
            uid=f"pod-uid-{member}",
            role=Role.AGGREGATOR if aggregator else Role.PARTICIPANT,
            participant=None if aggregator else member,
            phase=values.get("phase", "Pending"),
            image=values.get("image", ""),
            image_id=values.get("imageID", ""),
            reason=values.get("reason", ""),
            message=values.get("message", ""),
            exit_code=values.get("exitCode"),
        )


def _runs(job: Any) -> bool:
    return (job if isinstance(job, str) else job["state"]) == "running"


def _network_policies(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Those that the snapshot asks for, once it has all that they wait for."""
    for policy in network(snapshot).network_policies:
        yield policy.name, policy.hash


def _by_uid(snapshot: Snapshot, jobs: Mapping[str, JobView], given: Mapping[str, Any]) -> Iterator[tuple[str, Refusal]]:
    for member, values in given.items():
        yield jobs[_name(snapshot, member)].uid, _refusal(values)


def _refusal(values: Mapping[str, Any]) -> Refusal:
    return Refusal(values["message"], values.get("invalid", True), values.get("generation", 1), minute(values["at"]))


def _failure(values: Mapping[str, Any]) -> Failure:
    told = (values.get("exitCode"), values.get("message", ""), values.get("reason", ""))
    mended, rounds = values.get("mended", False), values.get("rounds", 0)
    return Failure(values["restarts"], minute(values["at"]), *told, rounds=rounds, mended=mended)


def render(snapshot: Snapshot, plan: Plan) -> dict[str, Any]:
    """The plan in the words of a case's plan.yaml; what it does not ask for is left out."""
    return {name: value for name, value in _lines(snapshot, plan) if value not in (None, [], (), {}, False)} | (
        {"finalizer": plan.finalizer} if plan.finalizer is not None else {}
    )


def _lines(snapshot: Snapshot, plan: Plan) -> Iterator[tuple[str, Any]]:
    members = {_name(snapshot, member): member for member in ("aggregator", "a", "b", "c")}
    yield "topics", [_topic(snapshot, topic.name, topic.config) for topic in plan.topics]
    yield "lookUp", [_short(snapshot, name) for name in plan.look_up]
    yield "follow", None if plan.follow is None else ("begin" if plan.follow else "stop")
    if plan.spec is not None:
        spec = plan.spec
        shown = {"generation": spec.generation, "revision": spec.revision, "participants": list(spec.participants)}
        stop = {"stop": str(spec.stop.reason)} if spec.stop is not None else {}
        yield "spec", shown | ({"suspend": True} if spec.suspend else {}) | stop
    yield "bundles", [members[secret.name] + (" anew" if secret.anew else "") for secret in plan.bundles]
    yield "bundleRemovals", [members[name] for name in plan.bundle_removals]
    yield "networkPolicies", [policy.manifest["metadata"]["labels"][LABEL_ROLE] for policy in plan.network_policies]
    yield "jobs", [_new_job(members[job.name], job.manifest) for job in plan.jobs]
    yield (
        "jobPatches",
        [_patch(members[patch.name], patch.suspend, patch.deadline_seconds) for patch in plan.job_patches],
    )
    yield "jobDeletions", [members[deletion.name] for deletion in plan.job_deletions]
    yield "removeTopics", plan.topic_removal is not None
    yield "deleteTraining", plan.delete_training
    yield "status", _status(plan)
    yield "events", [f"{event.severity} {event.reason}: {event.note}" for event in plan.events]
    yield "requeueAfter", plan.requeue_after


def _short(snapshot: Snapshot, name: str) -> str:
    return name.removeprefix("fedka.").replace(f".{snapshot.run_id}", "")


def _topic(snapshot: Snapshot, name: str, config: Mapping[str, str]) -> str:
    kept = config["retention.bytes"]
    return _short(snapshot, name) + ("" if kept == "-1" else f" keeps {kept}")


def _new_job(member: str, manifest: Mapping[str, Any]) -> str:
    restarts = manifest["metadata"]["annotations"]["fedka.dev/restarts"]
    return member + ("" if restarts == "0" else f" restart {restarts}")


def _patch(member: str, suspend: bool, deadline: int | None) -> str:
    return f"{member} suspend={str(suspend).lower()}" + (f" deadline={deadline}" if deadline is not None else "")


def _status(plan: Plan) -> dict[str, Any] | None:
    if plan.status is None:
        return None
    status = plan.status
    shown: dict[str, Any] = {"phase": str(status.phase)}
    shown["conditions"] = {each.type: f"{each.status} {each.reason}" for each in status.conditions}
    if status.applied_generation is not None:
        shown["appliedGeneration"] = status.applied_generation
    if status.rounds is not None:
        shown["rounds"] = status.rounds.summary
    if status.progress is not None:
        shown["progress"] = f"{status.progress.percentage} %, {status.progress.estimated_remaining_seconds} s left"
    if status.model is not None:
        shown["model"] = f"of round {status.model.round}"
    if status.participants is not None:
        shown["participants"] = {"present": status.participants.summary} | {
            each.name: " ".join(filter(None, (str(each.state), each.reason, each.message)))
            for each in status.participants.detail
        }
    return shown
