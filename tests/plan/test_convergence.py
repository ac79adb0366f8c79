"""Applied plans leave nothing to do, whatever children get lost on the way, and whatever the operator forgets.

Each status on the way is written as the API server would: it must fit the CRD's schema, and is read as it is stored.
"""

import json
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fedka.api.status import TrainingStatus
from fedka.api.validation import admit_status
from fedka.plan.names import ANNOTATION_HASH, ANNOTATION_RESTARTS, ANNOTATION_ROUNDS, LABEL_PARTICIPANT, LABEL_ROLE
from fedka.plan.parts import Plan
from fedka.plan.planner import make_plan
from fedka.plan.snapshot import Finished, JobView, Published, Role, RunView, Snapshot
from fedka.reconcile.projection import Projection, caught_up

from .case_files import load

MOST_STEPS = 12
JOURNALS = (
    [],
    ["started"],
    ["started", "joined a b", "first model a", "round 1 a b"],
    ["started", "joined a b", "first model a", "round 1 a b", "opened 2 a b"],
    ["started", "joined a b", "first model a", "suspended"],
    ["started", "joined a b", "first model a", "round 1 a b", "completed"],
    ["started", "joined a b", "failed QuorumMissed"],
)
SPECS: tuple[dict[str, Any], ...] = (
    {},
    {"suspend": True},
    {"participants": [{"name": "a"}, {"name": "b", "mode": "External"}]},
    {"participants": [{"name": "b"}, {"name": "c"}]},
    {"rounds": {"count": 3, "sampleSize": "50%", "quorum": 2}},
)


def apply(snapshot: Snapshot, plan: Plan) -> Snapshot:
    """The world after a plan, where everything succeeds at once."""
    changes: dict[str, Any] = {}
    metadata = snapshot.training.metadata
    if plan.finalizer is not None:
        metadata = metadata.model_copy(update={"finalizers": ("fedka.dev/cleanup",) if plan.finalizer else ()})
    if plan.delete_training:
        metadata = metadata.model_copy(update={"deletion_timestamp": snapshot.now})
    status = stored(plan.status) if plan.status is not None else snapshot.training.status
    changes["training"] = snapshot.training.model_copy(update={"metadata": metadata, "status": status})
    made = {topic.name: topic for topic in plan.topics}
    looked_up = {name: snapshot.topic_ids.get(name, f"id of {name}") for name in (*made, *plan.look_up)}
    changes["ensured"] = {**snapshot.ensured, **made}
    changes["topic_ids"] = {**snapshot.topic_ids, **looked_up}
    if plan.topics or plan.look_up or plan.look_up_users or plan.revocations:  # an answer
        changes["trouble"] = None
    if plan.follow is not None:
        changes["followed"] = plan.follow
        if plan.follow and not snapshot.run.caught_up:
            changes["run"] = caught_up(Projection()).view
    if plan.spec is not None:
        changes["published"] = Published(plan.spec, snapshot.now)
    bundles = {**snapshot.bundles, **{secret.name: secret.hash for secret in plan.bundles}}
    changes["bundles"] = {name: hash_ for name, hash_ in bundles.items() if name not in plan.bundle_removals}
    policies = {policy.name: policy.hash for policy in plan.network_policies}
    changes["network_policies"] = {**snapshot.network_policies, **policies}
    jobs = {**snapshot.jobs, **{job.name: view(job.manifest, snapshot) for job in plan.jobs}}
    for patch in plan.job_patches:
        jobs[patch.name] = replace(jobs[patch.name], suspended=patch.suspend, deadline_seconds=patch.deadline_seconds)
    gone = {deletion.name: deletion.failure for deletion in plan.job_deletions}
    changes["jobs"] = {name: job for name, job in jobs.items() if name not in gone}
    changes["failures"] = {**snapshot.failures, **{name: failure for name, failure in gone.items() if failure}}
    changes["users"] = _users(snapshot, plan)
    changes["identities_removed"] = snapshot.identities_removed or plan.identity_removal is not None
    changes["topics_deleted"] = snapshot.topics_deleted or plan.topic_removal is not None
    return replace(snapshot, **changes)


def stored(status: TrainingStatus) -> TrainingStatus:
    return _stored(json.dumps(status.to_object()))


@cache  # most examples lead through the same ones
def _stored(written: str) -> TrainingStatus:
    kept: Any = admit_status({"status": json.loads(written)})["status"]
    assert kept == json.loads(written)
    return TrainingStatus.model_validate(kept, by_alias=True, by_name=False)


def _users(snapshot: Snapshot, plan: Plan) -> frozenset[str] | None:
    """Whoever asks Kafka finds one of a participant that was removed long ago."""
    topics = snapshot.topics
    made = {secret.identity.user for secret in plan.bundles if secret.identity is not None}
    if plan.look_up_users:
        named = {topics.participant_user(p.name) for p in snapshot.training.spec.participants}
        return frozenset({topics.aggregator_user, topics.reader_user, topics.participant_user("gone"), *named})
    return None if snapshot.users is None else (snapshot.users | made) - set(plan.revocations)


def view(manifest: Any, snapshot: Snapshot) -> JobView:
    labels, notes = manifest["metadata"]["labels"], manifest["metadata"]["annotations"]
    return JobView(
        name=manifest["metadata"]["name"],
        uid="made",
        role=Role(labels[LABEL_ROLE]),
        participant=labels.get(LABEL_PARTICIPANT),
        hash=notes[ANNOTATION_HASH],
        restarts=int(notes[ANNOTATION_RESTARTS]),
        rounds=int(notes[ANNOTATION_ROUNDS]),
        started=snapshot.now,
    )


def settle(snapshot: Snapshot) -> Snapshot:
    """Plan and apply until there is nothing to do; fails where that does not come."""
    for _ in range(MOST_STEPS):
        plan = make_plan(snapshot)
        if plan.is_empty():
            return snapshot
        snapshot = apply(snapshot, plan)
    raise AssertionError(f"still something to do: {make_plan(snapshot)}")


def forget(snapshot: Snapshot) -> Snapshot:
    """The same world, seen by an operator that has just started."""
    return replace(
        snapshot,
        ensured={},
        topic_ids={},
        bundles={},
        users=None,
        network_policies={},
        failures={},
        followed=False,
        run=RunView(),
        published=None,
    )


@given(
    spec=st.sampled_from(SPECS),
    journal=st.sampled_from(JOURNALS),
    topics=st.sampled_from(["made", "none"]),
    deleted=st.booleans(),
    identities=st.booleans(),
)
@settings(deadline=None)
def test_an_applied_plan_leaves_nothing_to_do(
    spec: dict[str, Any], journal: list[str], topics: str, deleted: bool, identities: bool
):
    case = {"now": 5, "spec": spec, "journal": journal, "topics": topics, "metadata": {"finalizers": []}}
    case |= {"identities": identities}
    settle(load(case | ({"deleted": 5} if deleted else {})))


@given(
    journal=st.sampled_from(JOURNALS),
    losses=st.lists(st.sampled_from(["job", "bundle", "failure"]), max_size=4),
    identities=st.booleans(),
    data=st.data(),
)
@settings(deadline=None)
def test_lost_children_are_made_again_and_nothing_else_changes(
    journal: list[str], losses: list[str], identities: bool, data: st.DataObject
):
    whole = settle(load({"now": 5, "journal": journal, "topics": "none", "identities": identities}))
    snapshot = whole
    for loss in losses:
        if not snapshot.jobs:
            break
        name = data.draw(st.sampled_from(sorted(snapshot.jobs)))
        if loss == "job":
            snapshot = replace(snapshot, jobs={key: job for key, job in snapshot.jobs.items() if key != name})
        elif loss == "bundle":
            snapshot = replace(snapshot, bundles={key: it for key, it in snapshot.bundles.items() if key != name})
        else:
            ended = Finished(succeeded=False, at=snapshot.now - timedelta(minutes=5))
            jobs = {**snapshot.jobs, name: replace(snapshot.jobs[name], finished=ended)}
            snapshot = replace(snapshot, jobs=jobs)
        if not whole.state.ended:
            snapshot = settle(snapshot)
    again = settle(snapshot)
    if not whole.state.ended:
        assert set(again.jobs) == set(whole.jobs)
        assert all(job.finished is None for job in again.jobs.values())
    assert again.status.phase == whole.status.phase


@given(spec=st.sampled_from(SPECS), journal=st.sampled_from(JOURNALS), identities=st.booleans())
@settings(deadline=None)
def test_an_operator_that_forgot_everything_comes_to_the_same_world(
    spec: dict[str, Any], journal: list[str], identities: bool
):
    whole = settle(load({"now": 5, "spec": spec, "journal": journal, "identities": identities}))
    snapshot = forget(whole)
    for _ in range(MOST_STEPS):
        plan = make_plan(snapshot)
        if plan.is_empty():
            break
        after = apply(snapshot, plan)
        if after.followed and not snapshot.followed:  # the run's logs are still there to be read
            after = replace(after, run=whole.run, published=whole.published)
        snapshot = after
    assert snapshot.jobs == whole.jobs
    assert snapshot.status == whole.status
