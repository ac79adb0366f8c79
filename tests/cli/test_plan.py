"""`fedka plan`: what would be created, without a cluster, without Kafka, and without a secret's values."""

import json

import pytest
import yaml

from fedka.cli.plan import HIDDEN, planned, print_plan
from fedka.cli.training_file import as_training

from .trainings import training

SERVERS = "kafka.example:9092"


def plan_of(**spec: object):
    return planned(as_training(training(**spec)), bootstrap_servers=SERVERS)


def test_topics_come_with_partitions_and_settings():
    topics = {topic["name"].split(".")[1]: topic for topic in plan_of()["topics"]}
    assert set(topics) == {"spec", "journal", "audit", "model", "state", "update"}
    assert topics["update"]["partitions"] == 2
    assert topics["journal"]["config"]["message.timestamp.type"] == "LogAppendTime"


def test_there_is_a_job_for_the_aggregator_and_each_participant():
    commands = [job["spec"]["template"]["spec"]["containers"][0]["command"] for job in plan_of()["jobs"]]
    assert commands == [["fedka", "aggregator"], ["fedka", "participant"], ["fedka", "participant"]]


def test_external_participant_gets_a_bundle_and_no_job():
    plan = plan_of(participants=[{"name": "bank-a"}, {"name": "bank-b", "mode": "External"}])
    assert (len(plan["secrets"]), len(plan["jobs"])) == (3, 2)


def test_pods_of_each_role_have_a_network_policy():
    roles = [policy["metadata"]["labels"]["fedka.dev/role"] for policy in plan_of()["networkPolicies"]]
    assert roles == ["aggregator", "participant"]


def test_without_identities_there_are_no_users():
    assert plan_of()["users"] == []


def test_with_identities_each_pod_and_who_reads_the_model_has_a_user():
    plan = planned(as_training(training()), bootstrap_servers=SERVERS, identities=True)
    users = {user["name"].rsplit(".", 1)[1]: user["rights"] for user in plan["users"]}
    assert set(users) == {"aggregator", "bank-a", "bank-b", "reader"}
    update = next(right for right in users["bank-a"] if ".update." in right["topic"])
    assert update["operations"] == ["Describe", "Write"]
    assert update["topic"].endswith(".bank-a")
    assert next(right for right in users["aggregator"] if ".update." in right["topic"])["prefixed"]
    assert len(plan["secrets"]) == 4


def test_values_of_secrets_are_not_shown():
    plan = plan_of()
    assert {value for secret in plan["secrets"] for value in secret["data"].values()} == {HIDDEN}
    assert SERVERS not in json.dumps(plan["secrets"])


def test_spec_record_is_what_pods_are_told():
    spec = plan_of()["spec"]
    assert spec["participants"] == ["bank-a", "bank-b"]
    assert spec["rounds"]["count"] == 3


@pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_machine_readable_output_is_the_whole_plan(capsys, output, read):
    plan = planned(as_training(training()), bootstrap_servers=SERVERS, identities=True)
    print_plan(plan, output)
    assert read(capsys.readouterr().out) == plan


def test_lines_for_people_name_everything(capsys):
    plan = planned(as_training(training()), bootstrap_servers=SERVERS, identities=True)
    print_plan(plan, None)
    out = capsys.readouterr().out
    children = [each["metadata"] for kind in ("secrets", "networkPolicies", "jobs") for each in plan[kind]]
    for named in (*plan["topics"], *plan["users"], *children):
        assert named["name"] in out
    assert "NetworkPolicies (2)" in out
    assert "Users (4)" in out


def test_command_applies_overrides(directory):
    done = directory.fedka("plan", directory.write(training()), "-o", "json", "--set", "rounds.count=9")
    assert json.loads(done.stdout)["spec"]["rounds"]["count"] == 9


def test_command_shows_the_users_of_a_kafka_that_has_identities(directory):
    done = directory.fedka("plan", directory.write(training()), "--identities")
    assert "Users (4)" in done.stdout
