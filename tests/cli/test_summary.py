"""What is told when a run is over, or was ended before."""

import json
import shlex
from pathlib import Path

import pytest
import yaml

from fedka.api.training import FederatedTraining
from fedka.cli.summary import Place, ended, given_up, print_resource, stopped
from fedka.local.prospects import NoProspect
from fedka.plan.snapshot import PodView, Role

from .trainings import training

HERE = Place("my file.yaml", Path("runs/one"), None)
THERE = Place("t.yaml", Path("runs/one"), "kafka:9092")

STATUS = {
    "phase": "Complete",
    "rounds": {"current": 3, "completed": 3, "missed": 1, "total": 4},
    "model": {"round": 3, "digest": "blake3:abc", "topic": "t", "metrics": [{"name": "loss", "value": "0.25"}]},
    "startTime": "2026-01-01T00:00:00Z",
    "completionTime": "2026-01-01T00:00:12.5Z",
    "conditions": [
        {"type": "Complete", "status": "True", "reason": "AllRoundsDone", "message": "all done",
         "lastTransitionTime": "2026-01-01T00:00:00Z"},
        {"type": "Failed", "status": "False", "reason": "NotFailed", "message": "it has not",
         "lastTransitionTime": "2026-01-01T00:00:00Z"},
    ],
}  # fmt: skip


def seen(**status: object) -> FederatedTraining:
    return FederatedTraining.from_object({**training(), "status": {**STATUS, **status}})


def test_end_tells_reason_rounds_time_metrics_digest_and_places():
    text = ended(seen(), HERE, Path("m.safetensors"))
    assert text.startswith("tiny: Complete (AllRoundsDone: all done)")
    for part in ("3 of 4, 1 missed in 12.5 s", "loss 0.25", "blake3:abc (round 3)", "m.safetensors", "runs/one/logs"):
        assert part in text


def test_model_that_was_not_asked_for_comes_with_the_command_that_gets_it():
    command = next(line for line in ended(seen(), HERE, None).splitlines() if "to get it" in line).split("it: ")[1]
    assert shlex.split(command) == [
        "fedka", "model", "get", "tiny", "-o", "tiny.safetensors", "--state-dir", "runs/one",
    ]  # fmt: skip


def test_command_that_takes_a_run_up_again_repeats_what_was_set():
    place = Place("t.yaml", Path("runs/one"), None, ("rounds.count=7", "app.config.note=a b"))
    assert shlex.split(place.again()) == [
        "fedka", "run", "t.yaml", "--set", "rounds.count=7", "--set", "app.config.note=a b", "--state-dir", "runs/one",
    ]  # fmt: skip


def test_failed_run_tells_why():
    failed = {**STATUS["conditions"][1], "status": "True", "reason": "QuorumMissed", "message": "1 of 2"}
    assert ended(seen(phase="Failed", conditions=[failed]), HERE, None).startswith(
        "tiny: Failed (QuorumMissed: 1 of 2)"
    )


def test_stopped_run_tells_where_it_stood_what_is_kept_and_how_to_go_on():
    text = stopped(seen(phase="Running"), THERE, "stopped")
    assert text.startswith(
        "stopped in round 3 of 4, with 3 rounds completed. Kept: topics, logs and the model of round 3"
    )
    assert text.endswith("fedka run t.yaml --state-dir runs/one --bootstrap-servers kafka:9092")


@pytest.mark.parametrize("before", [None, FederatedTraining.from_object(training())])
def test_stopped_before_it_began(before):
    assert stopped(before, HERE, "stopped") == "stopped before the run had begun"


def test_one_cause_of_several_participants_is_told_once():
    pods = tuple(
        PodView(name=name, uid=name, role=Role.PARTICIPANT, participant=name, exit_code=78, message="no module\n")
        for name in ("bank-a", "bank-b")
    )
    text = given_up(FederatedTraining.from_object(training()), HERE, NoProspect("nobody can take part", pods))
    assert text.splitlines() == [
        "tiny cannot go on: nobody can take part",
        "  bank-a, bank-b: no module",
        "  logs: runs/one/logs",
    ]


def test_run_that_had_got_somewhere_can_be_taken_up_again():
    text = given_up(seen(), HERE, NoProspect("Apache Kafka has ended", ()))
    assert text.splitlines()[-1] == "Once that is mended: fedka run 'my file.yaml' --state-dir runs/one"


@pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_resource_is_printed_as_it_stands(capsys, output, read):
    print_resource(seen(), output)
    assert read(capsys.readouterr().out) == seen().to_object()


def test_who_could_not_evaluate_is_named_once():
    text = ended(seen(), HERE, None, {"bank-b": ["KeyError: 'x'", "KeyError: 'x'"]})
    assert "no score bank-b could not evaluate the model 2 times, the last time: KeyError: 'x'" in text
