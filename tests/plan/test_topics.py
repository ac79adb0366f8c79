"""Settings of the run's topics."""

from dataclasses import replace
from typing import Any

import pytest

from fedka.plan.settings import KafkaCluster, Settings
from fedka.plan.snapshot import Snapshot
from fedka.plan.topics import topics, wanted_topics
from fedka.wire.bundle import KafkaAccess

from ..reconcile.builders import LAYOUT
from .case_files import load

SIZED = ["started", "joined a b", "first model a"]
ENCODED_BYTES = LAYOUT.total_bytes + 256
SEGMENT_BYTES = 16 * 2**20


def configs(snapshot: Snapshot) -> dict[str, Any]:
    """By the topic's kind."""
    return {topic.name.split(".")[1]: topic.config for topic in wanted_topics(snapshot)}


def snapshot(**case: Any) -> Snapshot:
    return load({"now": 5, **case})


def test_nothing_that_a_run_relies_on_is_left_to_the_brokers_defaults():
    for config in configs(snapshot()).values():
        assert config["cleanup.policy"] == "delete"
        assert config["retention.ms"] == "-1"
        assert config["message.timestamp.type"] == "LogAppendTime"
        assert config["unclean.leader.election.enable"] == "false"


def test_all_is_kept_until_sizes_are_known():
    assert {config["retention.bytes"] for config in configs(snapshot(journal=[])).values()} == {"-1"}


def test_update_topics_keep_three_updates_and_a_segment():
    config = configs(snapshot(journal=SIZED))["update"]
    assert config["retention.bytes"] == str(3 * ENCODED_BYTES + SEGMENT_BYTES)
    assert config["segment.bytes"] == str(SEGMENT_BYTES)


def test_the_model_topic_keeps_history_restarts_and_two_models():
    spec = {"rounds": {"count": 3, "modelHistoryLimit": 5}, "failurePolicy": {"maxAggregatorRestarts": 4}}
    config = configs(snapshot(journal=SIZED, spec=spec))["model"]
    assert config["retention.bytes"] == str((5 + 4 + 2) * ENCODED_BYTES + SEGMENT_BYTES)


def test_what_tells_the_story_is_kept_whole():
    made = configs(snapshot(journal=SIZED))
    assert {made[kind]["retention.bytes"] for kind in ("spec", "journal", "audit")} == {"-1"}


def test_retention_audit_keeps_everything():
    made = configs(snapshot(journal=SIZED, spec={"kafka": {"retention": "Audit"}}))
    assert {config["retention.bytes"] for config in made.values()} == {"-1"}


def test_three_replicas_ask_for_two_in_sync():
    cluster = KafkaCluster(KafkaAccess(bootstrap_servers="kafka:9092"), replication=3)
    replicated = replace(snapshot(), settings=Settings({"default": cluster}))
    assert {config["min.insync.replicas"] for config in configs(replicated).values()} == {"2"}
    assert "min.insync.replicas" not in configs(snapshot())["journal"]


def test_the_installations_prefix_begins_every_name():
    cluster = KafkaCluster(KafkaAccess(bootstrap_servers="kafka:9092"), prefix="fedka-test")
    prefixed = replace(snapshot(), settings=Settings({"default": cluster}))
    assert all(topic.name.startswith("fedka-test.") for topic in wanted_topics(prefixed))


@pytest.mark.parametrize(("ago", "asked"), [(0.0, False), (0.9, False), (1.0, True)])
def test_a_kafka_that_has_just_failed_is_given_a_second(ago: float, asked: bool):
    """One that answers this question and takes no records would otherwise be asked without end."""
    since = 5 - ago / 60
    part = topics(snapshot(journal=SIZED, trouble={"message": "no broker answers", "at": since}))
    assert bool(part.look_up) is asked
    assert part.requeue_after == pytest.approx(5.0 if asked else 1.0 - ago)
