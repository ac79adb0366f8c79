"""Who a pod is to Kafka, and when it ceases to be."""

from dataclasses import replace
from typing import Any

import pytest

from fedka.api.conditions import find_condition
from fedka.api.reasons import ConditionType, Reason
from fedka.plan.identities import identity, revocations
from fedka.plan.names import child_name
from fedka.plan.parts import Grant, Part, Right
from fedka.plan.planner import make_plan
from fedka.plan.snapshot import Role, Snapshot

from .case_files import load, minute

R, W, D = Right.READ, Right.WRITE, Right.DESCRIBE
ENDED = ["started", "joined a b", "first model a", "completed"]
JOBS = {"aggregator": "complete", "a": "complete", "b": "running"}


def secured(case: dict[str, Any], *participants: str) -> Snapshot:
    """The case where these participants and the roles have users."""
    snapshot = load({"now": 5, "identities": True} | case)
    topics = snapshot.topics
    users = {topics.aggregator_user, topics.reader_user, *(topics.participant_user(name) for name in participants)}
    return replace(snapshot, users=frozenset(users))


def grants(role: Role, participant: str | None = None) -> set[tuple[str, frozenset[Right], bool]]:
    snapshot = secured({})
    found = identity(snapshot, role, participant)
    assert found is not None
    return {(_short(snapshot, grant), grant.rights, grant.prefixed) for grant in found.grants}


def _short(snapshot: Snapshot, grant: Grant) -> str:
    return grant.topic.replace(f".{snapshot.run_id}", "").removeprefix("fedka.")


def test_a_participant_writes_its_own_updates_and_reads_what_is_shared():
    assert grants(Role.PARTICIPANT, "a") == {
        ("update.a", frozenset({W, D}), False),
        ("spec", frozenset({R, D}), False),
        ("journal", frozenset({R, D}), False),
        ("model", frozenset({R, D}), False),
    }


def test_the_aggregator_reads_all_updates_of_its_run_and_deletes_nothing():
    assert grants(Role.AGGREGATOR) == {
        ("journal", frozenset({R, W, D}), False),
        ("model", frozenset({R, W, D}), False),
        ("state", frozenset({R, W, D}), False),
        ("audit", frozenset({W, D}), False),
        ("spec", frozenset({R, D}), False),
        ("update.", frozenset({R, D}), True),
    }


@pytest.mark.parametrize("identities", [True, False])
def test_where_users_are_made_the_status_says_that_they_get_no_quotas(identities: bool):
    case = {"now": 5, "identities": identities, "journal": ["started", "joined a b"], "published": {}}
    status = make_plan(load(case)).status
    assert status is not None
    ready = find_condition(status.conditions, ConditionType.KAFKA_READY)
    assert ready is not None
    assert ready.reason == Reason.TOPICS_READY
    assert ("no byte-rate quotas" in ready.message) is identities


def test_the_reader_reads_journal_and_model():
    assert grants(Role.READER) == {("journal", frozenset({R, D}), False), ("model", frozenset({R, D}), False)}


def test_a_kafka_without_identities_has_no_users():
    assert identity(load({"now": 0}), Role.AGGREGATOR, None) is None


@pytest.mark.parametrize(
    ("now", "gone"), [(3.5, ["aggregator", "participant.a"]), (5, ["aggregator", "participant.a", "participant.b"])]
)
def test_after_the_end_a_user_goes_with_its_pod_and_after_a_minute_anyway(now: float, gone: list[str]):
    snapshot = secured({"now": now, "journal": ENDED, "jobs": JOBS}, "a", "b")
    expected = tuple(f"fedka.{snapshot.run_id}.{name}" for name in gone)
    assert revocations(snapshot).revocations == expected


def test_who_still_has_to_read_the_end_is_looked_at_again():
    part = revocations(secured({"now": 3.5, "journal": ENDED, "jobs": JOBS}, "a", "b"))
    assert part.requeue_after == 30.0


@pytest.mark.parametrize(
    ("journal", "goes"),
    [
        (["started", "joined a b", "first model a", "opened 1 a b"], 14.0),
        (["started", "joined a b", "first model a"], 5.5),
        (["started", "joined b"], None),
    ],
    ids=["in a round", "not let go by the aggregator", "let go"],
)
def test_a_removed_participant_goes_when_no_round_counts_on_it_or_none_should(journal: list[str], goes: float | None):
    case = {"journal": journal, "spec": {"participants": [{"name": "b"}]}, "published": {"at": 4.5}}
    snapshot, at = secured(case, "a", "b"), minute(goes) if goes is not None else None
    revoked = Part(
        revocations=(snapshot.topics.participant_user("a"),),
        bundle_removals=(child_name(snapshot.training, Role.PARTICIPANT, "a"),),
    )
    if at is not None:
        assert revocations(snapshot) == Part(requeue_after=(at - snapshot.now).total_seconds())
        snapshot = replace(snapshot, now=at)
    assert revocations(snapshot) == revoked


def test_a_participant_removed_from_a_suspended_run_goes_at_once():
    spec = {"suspend": True, "participants": [{"name": "b"}]}
    jobs = {"aggregator": "suspended", "b": "suspended"}
    journal = ["started", "joined a b", "first model a", "suspended"]
    snapshot = secured({"journal": journal, "jobs": jobs, "spec": spec}, "a", "b")
    assert revocations(snapshot).revocations == (snapshot.topics.participant_user("a"),)


def test_users_are_asked_for_before_anything_is_revoked():
    snapshot = replace(secured({"journal": ENDED, "jobs": JOBS}), users=None)
    assert revocations(snapshot) == Part(look_up_users=True)


def test_a_run_that_ended_while_kafka_was_away_asks_whether_it_is_back():
    trouble = {"message": "no broker answers", "at": 4}
    part = revocations(secured({"journal": ENDED, "jobs": JOBS, "trouble": trouble}, "a"))
    assert part.look_up
    assert part.requeue_after
    assert not part.revocations


def test_a_revocation_that_has_just_failed_is_not_tried_again_without_a_pause():
    trouble = {"message": "the controller is being elected", "at": 5}
    part = revocations(secured({"journal": ENDED, "jobs": JOBS, "trouble": trouble}, "a"))
    assert part == Part(requeue_after=1.0)


def test_no_pod_is_made_while_identities_are_refused():
    refused = {"message": "the operator lacks Alter", "at": 5, "refused": True}
    plan = make_plan(secured({"journal": ["started"], "trouble": refused}, "a", "b"))
    assert plan.bundles == ()
    assert plan.jobs == ()


def test_what_was_refused_is_tried_again_after_a_minute():
    refused = {"message": "the operator lacks Alter", "at": 3, "refused": True}
    plan = make_plan(secured({"journal": ["started"], "trouble": refused}, "a", "b"))
    assert len(plan.bundles) == 4
    assert len(plan.jobs) == 3


def test_cleaning_up_that_is_refused_waits_before_it_asks_again():
    refused = {"message": "the operator lacks Alter", "at": 5, "refused": True}
    plan = make_plan(secured({"deleted": 4, "trouble": refused}))
    assert plan.identity_removal is None
    assert plan.requeue_after == 60.0


def test_users_of_retained_topics_go():
    snapshot = secured({"deleted": 4, "spec": {"kafka": {"reclaimPolicy": "Retain"}}})
    plan = make_plan(snapshot)
    assert plan.identity_removal is not None
    assert plan.identity_removal.prefix == f"fedka.{snapshot.run_id}."
    assert plan.topic_removal is None
    assert plan.finalizer is None
    assert make_plan(replace(snapshot, identities_removed=True)).finalizer is False


def test_a_cleaning_up_that_kafka_does_not_let_end_is_given_up_in_time():
    trouble = {"message": "no broker answers", "at": 4.5}
    snapshot = secured({"deleted": 4, "trouble": trouble})
    assert make_plan(snapshot).finalizer is None
    hurried = replace(snapshot, settings=replace(snapshot.settings, cleanup_seconds=60.0))
    plan = make_plan(hurried)
    assert plan.finalizer is False
    (event,) = plan.events
    assert snapshot.run_id in event.note
    assert "no broker answers" in event.note


def test_a_cluster_that_is_gone_from_the_configuration_holds_nothing_up_for_ever():
    snapshot = secured({"deleted": 4})
    gone = replace(snapshot, settings=replace(snapshot.settings, kafka_clusters={}))
    assert make_plan(gone).requeue_after == 540.0
    plan = make_plan(replace(gone, settings=replace(gone.settings, cleanup_seconds=60.0)))
    assert plan.finalizer is False
    assert plan.events[0].reason == "CleanupTimedOut"


def test_participants_beyond_the_limit_get_no_topic_and_no_bundle():
    names = [{"name": name} for name in ("a", "b", "c")]
    snapshot = secured({"journal": ["started", "joined a b"], "spec": {"participants": names}}, "a", "b")
    topic = snapshot.topics.update("c")
    ensured = {name: spec for name, spec in snapshot.ensured.items() if name != topic}
    clusters = {"default": replace(snapshot.settings.kafka_clusters["default"], max_participants=2)}
    limited = replace(
        snapshot,
        ensured=ensured,
        topic_ids={**snapshot.topic_ids, topic: None},
        settings=replace(snapshot.settings, kafka_clusters=clusters),
    )
    plan = make_plan(limited)
    assert plan.topics == ()
    assert child_name(snapshot.training, Role.PARTICIPANT, "c") not in {secret.name for secret in plan.bundles}
    allowed = make_plan(replace(limited, settings=snapshot.settings))
    assert [spec.name for spec in allowed.topics] == [topic]
