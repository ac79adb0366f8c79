"""The commands for a run on this machine as users have them, over a real Kafka: while it goes on, and afterwards."""

import csv
import io
import json
import signal

import numpy as np
import pytest
from safetensors.numpy import load_file

from fedka import exit_codes

from .trainings import APP, training

pytestmark = pytest.mark.kafka

ROUNDS = 14
HELD = 5  # the round that stays open while it is looked at
WATCHED = APP.replace(
    "    for tensor",
    f"""    while context.round == {HELD} and not __import__("os").path.exists("go"):
        time.sleep(0.05)
    if context.participant == "bank-b" and context.round == 2:
        model["bias"] += np.nan
    for tensor""",
)


def ended(running) -> str:
    """What a command that ends well has printed."""
    assert running.wait() == exit_codes.OK, running.stderr
    assert "Traceback" not in running.stderr
    return running.stdout


def test_run_is_looked_at_while_it_goes_on_and_afterwards(directory):
    directory.app(WATCHED)
    rounds = {"count": ROUNDS, "quorum": 1, "minAvailable": 2, "deadlineSeconds": 3000}
    file = directory.write(training(rounds=rounds))
    running = directory.start("run", file)
    running.until("the run lives in")
    watching = directory.start("watch", "tiny")
    following = directory.start("logs", "tiny", "-f")
    watching.until(f"round {HELD - 1}")  # "/14", or "after" it where the watch came later
    _while_it_goes_on(directory)
    (directory.path / "go").touch()
    assert f"round {ROUNDS}/{ROUNDS}" in ended(running) + running.stderr
    assert ended(watching).startswith("tiny: Complete")
    assert f"round {ROUNDS}/{ROUNDS}" in watching.stderr
    assert {"aggregator", "bank-a", "bank-b"} <= {line.split(" | ")[0] for line in ended(following).splitlines()}
    assert "training complete" in following.stdout
    _afterwards(directory)
    assert directory.left_behind() == []


def _while_it_goes_on(directory) -> None:
    asked = [
        directory.start("status", "tiny"),
        directory.start("rounds", "tiny", "-o", "json"),
        directory.start("model", "get", "tiny", "-o", "now.safetensors"),
        directory.start("logs", "tiny", "bank-a"),
        directory.start("runs"),
    ]
    status, rounds, model, logs, runs = (ended(each) for each in asked)
    assert status.startswith("tiny  Running")
    _check_rejection(json.loads(rounds)["rounds"])
    assert model.startswith(f"now.safetensors: the model of round {HELD - 1},")
    assert np.all(load_file(directory.path / "now.safetensors")["weights"] == HELD - 1)
    assert "bank-a: round 1: closed" in logs
    assert "Running" in runs
    assert "Starting Apache Kafka" not in "".join(each.stderr for each in asked)


def _afterwards(directory) -> None:
    """Two at once take turns on the data; a run that would go on is told to wait."""
    asked = [
        directory.start("rounds", "tiny", "-o", "csv"),
        directory.start("model", "get", "tiny", "--round", "99", "-o", "none.safetensors"),
        directory.start("model", "get", "tiny", "-o", "last.safetensors"),
    ]
    rows = list(csv.DictReader(io.StringIO(ended(asked[0]))))
    assert [int(row["round"]) for row in rows] == list(range(1, ROUNDS + 1))
    assert rows[1]["reasons"].startswith("bank-b ")
    assert asked[1].wait() == exit_codes.FAILED
    assert f"has made no global model; the newest is that of round {ROUNDS}: retained are those of" in asked[1].stderr
    assert f"the model of round {ROUNDS}," in ended(asked[2])
    assert np.all(load_file(directory.path / "last.safetensors")["weights"] == ROUNDS)
    assert any("which reads this run as well" in each.stderr for each in asked)
    table = directory.start("rounds", "tiny")
    assert "Why rejected" in ended(table), table.stderr
    assert ended(directory.start("status", "tiny")).startswith("tiny  Complete")


def _check_rejection(rounds: list[dict[str, object]]) -> None:
    assert [each["round"] for each in rounds] == list(range(1, HELD))
    second = rounds[1]
    assert (second["accepted"], second["rejected"]) == (1, 1)
    (rejection,) = second["rejections"]
    assert rejection["participant"] == "bank-b"
    assert rejection["reason"]
    assert rejection["message"]


def test_run_on_anothers_kafka_is_read_there(directory, kafka):
    file = directory.write(training())
    ended(directory.start("run", file, "--bootstrap-servers", kafka.bootstrap_servers, "--state-dir", "state"))
    asked = directory.start("model", "get", "tiny", "--state-dir", "state", "-o", "m.safetensors")
    assert "the model of round 3," in ended(asked)
    assert "Starting Apache Kafka" not in asked.stderr
    listed = json.loads(ended(directory.start("status", "tiny", "--state-dir", "state", "-o", "json")))
    assert listed["status"]["phase"] == "Complete"


def test_new_run_says_that_an_interrupted_one_lies_here(directory, kafka):
    long = training(app={"entrypoint": "tiny_app:app", "config": {"pause": "0.05"}}, rounds={"count": 2000})
    file = directory.write(long)
    first = directory.start("run", file, "--bootstrap-servers", kafka.bootstrap_servers)
    first.until("round 2/2000")
    first.send(signal.SIGKILL)
    first.wait()
    (kept,) = (directory.path / ".fedka").iterdir()
    again = f"fedka run training.yaml --state-dir .fedka/{kept.name} --bootstrap-servers {kafka.bootstrap_servers}"
    status = ended(directory.start("status", "tiny"))
    assert status.startswith("tiny  Interrupted")
    assert again in " ".join(status.split())
    second = directory.start("run", file, "--bootstrap-servers", kafka.bootstrap_servers)
    assert again in second.until("an interrupted run of tiny lies in")
    second.until("round 1/2000")
    second.send(signal.SIGINT)
    second.wait()
    stopped = directory.fedka("watch", "tiny")
    assert stopped.process.returncode == exit_codes.RUN_FAILED
    assert "nobody runs it" in stopped.stderr
