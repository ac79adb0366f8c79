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
    plan = plan_of()
    print_plan(plan, output)
    assert read(capsys.readouterr().out) == plan


def test_lines_for_people_name_everything(capsys):
    plan = plan_of()
    print_plan(plan, None)
    out = capsys.readouterr().out
    for name in [topic["name"] for topic in plan["topics"]] + [job["metadata"]["name"] for job in plan["jobs"]]:
        assert name in out


def test_command_applies_overrides(directory):
    done = directory.fedka("plan", directory.write(training()), "-o", "json", "--set", "rounds.count=9")
    assert json.loads(done.stdout)["spec"]["rounds"]["count"] == 9
