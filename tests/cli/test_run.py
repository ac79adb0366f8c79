"""`fedka run` with all of its processes, over a real Kafka. No end that it comes to here leaves a file elsewhere."""

import json
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import Callable
from fcntl import ioctl

import numpy as np
import pytest
from blake3 import blake3
from safetensors.numpy import load_file

from fedka import exit_codes

from ..mess.traces import leaving_nothing
from .trainings import APP, training

pytestmark = pytest.mark.kafka

PAUSE = {"entrypoint": "tiny_app:app", "config": {"pause": "0.05"}}
LONG = training(app=PAUSE, rounds={"count": 2000})


@pytest.fixture
def directory(tmp_path):
    with leaving_nothing(tmp_path) as machine:
        yield machine


@pytest.fixture
def run(directory, kafka):
    """Start `fedka run` on the suite's broker."""

    def start(obj, *arguments: str):
        file = directory.write(obj)
        return directory.start("run", file, "--bootstrap-servers", kafka.bootstrap_servers, *arguments)

    return start


def finished(running) -> int:
    code = running.wait()
    assert "Traceback" not in running.stderr
    return code


def test_json_is_the_final_resource_and_nothing_else(directory, run):
    running = run(training(), "-o", "json", "--state-dir", "state")
    assert finished(running) == exit_codes.OK
    status = json.loads(running.stdout)["status"]
    assert status["phase"] == "Complete"
    assert status["rounds"]["summary"] == "3/3"
    assert [past["round"] for past in status["rounds"]["history"]] == [1, 2, 3]
    assert {metric["name"] for metric in status["model"]["metrics"]} == {"loss", "accuracy"}
    assert [detail["state"] for detail in status["participants"]["detail"]] == ["Done", "Done"]
    assert directory.left_behind() == []


def test_lines_tell_every_round_and_the_summary_the_end(run):
    rounds = 30
    running = run(training(rounds={"count": rounds}), "--state-dir", "state")
    assert finished(running) == exit_codes.OK
    told = re.findall(rf"round (\d+)/{rounds}  [\d.]+ s  2 of 2 updates  loss [\d.]+  accuracy 0.75", running.stderr)
    assert told == [str(number) for number in range(1, rounds + 1)]
    for line in ("phase Running", "bank-a joined", "bank-b joined", "first model received"):
        assert line in running.stderr
    assert running.stdout.startswith("tiny: Complete (AllRoundsDone")
    assert "fedka model get tiny -o tiny.safetensors --state-dir state" in running.stdout
    assert "state/logs" in running.stdout


def test_model_out_is_the_model_of_the_digest(directory, run):
    running = run(training(), "--model-out", "model.safetensors", "-o", "json", "-q")
    assert finished(running) == exit_codes.OK
    model = load_file(directory.path / "model.safetensors")
    assert {name: (tensor.dtype.name, tensor.shape) for name, tensor in model.items()} == {
        "weights": ("float32", (1000,)),
        "bias": ("float64", ()),
        "steps": ("int64", (3,)),
    }
    assert all(np.all(tensor == 3) for tensor in model.values())
    wire = np.concatenate([model[name].ravel() for name in ("weights", "bias", "steps")]).astype("<f4")
    chunk = blake3(wire.tobytes()).digest()
    assert json.loads(running.stdout)["status"]["model"]["digest"] == f"blake3:{blake3(chunk).hexdigest()}"


def test_quiet_run_that_goes_well_says_nothing(run):
    running = run(training(), "-q")
    assert finished(running) == exit_codes.OK
    assert (running.stdout, running.stderr) == ("", "")


def test_app_that_nobody_can_load_ends_the_run_at_once_with_the_reason(directory, run):
    running = run(training(app={"entrypoint": "nowhere:app"}))
    assert finished(running) == exit_codes.CONFIG
    assert "tiny cannot go on: " in running.stderr
    assert "there is no module nowhere" in running.stderr
    assert directory.left_behind() == []


def test_app_that_one_participant_cannot_load_does_not_end_a_run_that_can_do_without(directory, run):
    directory.app(APP.replace("def model(context):", "def model(context):\n    check(context)") + CHECK)
    participants = [{"name": "bank-a"}, {"name": "bank-b"}, {"name": "bank-c", "config": {"broken": "yes"}}]
    running = run(training(participants=participants, rounds={"count": 2, "quorum": 2, "minAvailable": 2}))
    running.until("joined")
    assert finished(running) == exit_codes.OK


CHECK = """

def check(context):
    if context.config.get("broken"):
        raise fedka.participant.errors.AppMisused("this participant is broken")
"""


def test_exception_in_training_is_told_with_its_reason(directory, run):
    directory.app(
        APP.replace(
            "    time.sleep", "    if context.participant == 'bank-b': raise ValueError('bad row')\n    time.sleep"
        )
    )
    running = run(training(rounds={"count": 2, "quorum": 1, "minAvailable": 2}))
    assert finished(running) == exit_codes.OK
    assert re.search(r"bank-b: its update of round 1 does not count: AppFailed: .*bad row", running.stderr)


def test_run_that_misses_its_goal_has_a_code_of_its_own(directory, run):
    directory.app(
        APP.replace(
            "    time.sleep", "    if context.participant == 'bank-b': raise ValueError('bad row')\n    time.sleep"
        )
    )
    running = run(training(rounds={"count": 2, "quorum": "100%", "onQuorumMiss": "Fail"}), "-o", "json")
    assert finished(running) == exit_codes.RUN_FAILED
    assert json.loads(running.stdout)["status"]["phase"] == "Failed"
    assert "tiny: Failed (QuorumMissed" in running.stderr
    assert directory.left_behind() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_says_so_leaves_no_process_and_goes_on_when_asked(directory, run, number):
    running = run(LONG, "--state-dir", "state")
    running.until("round 3/2000")
    running.send(number)
    assert finished(running) == exit_codes.INTERRUPTED
    assert directory.left_behind() == []
    stop = re.search(r"stopped in round (\d+) of 2000, with (\d+) rounds completed", running.stderr)
    assert "To go on: fedka run training.yaml --state-dir state" in running.stderr
    done = int(stop[2])
    again = run({**LONG, "spec": {**LONG["spec"], "rounds": {"count": done + 3}}}, "--state-dir", "state")
    assert finished(again) == exit_codes.OK
    rounds = [int(number) for number in re.findall(r"round (\d+)/\d+  ", again.stderr)]
    assert rounds[-1] == done + 3
    assert min(rounds) > 3, "a resumed run does not begin anew"
    assert "going on after round" in again.stderr


def test_second_signal_does_not_wait(directory, run):
    directory.app(APP.replace("    time.sleep", "    __import__('signal').pthread_sigmask(0, [15])\n    time.sleep"))
    app = {"entrypoint": "tiny_app:app", "config": {"pause": "600"}}  # deaf to SIGTERM, and busy
    running = run(training(app=app), "--grace", "1000")
    running.until("phase Running")
    running.send(signal.SIGINT)
    running.until("once more stops at once")
    running.send(signal.SIGINT)
    assert finished(running) == exit_codes.INTERRUPTED
    assert directory.left_behind() == []


def test_timeout_stops_a_run_in_order(directory, run):
    running = run(LONG, "--timeout", "6")
    assert finished(running) == exit_codes.RUN_FAILED
    assert "--timeout of 6 s is over: stopped" in running.stderr
    assert directory.left_behind() == []


def test_complete_run_is_not_trained_again_and_its_model_can_still_be_had(directory, run):
    assert finished(run(training(), "--state-dir", "state", "-q")) == exit_codes.OK
    again = run(training(), "--state-dir", "state", "--model-out", "model.safetensors")
    assert finished(again) == exit_codes.OK
    assert "round 1/3" not in again.stderr
    assert np.all(load_file(directory.path / "model.safetensors")["weights"] == 3)


def test_change_that_a_run_does_not_allow_is_refused(directory, run):
    assert finished(run(training(), "--state-dir", "state", "-q")) == exit_codes.OK
    other = run(training(strategy={"weighting": "Uniform"}), "--state-dir", "state")
    assert finished(other) == exit_codes.CONFIG
    assert "spec.strategy" in other.stderr
    assert "another --state-dir" in other.stderr


def test_two_runs_cannot_share_a_state_directory(directory, run):
    first = run(LONG, "--state-dir", "state")
    first.until("phase")
    second = run(LONG, "--state-dir", "state")
    assert finished(second) == exit_codes.FAILED
    assert f"in use by the run with process id {first.process.pid}" in second.stderr
    first.send(signal.SIGINT)
    first.wait()


def test_own_kafka_is_started_and_stopped_with_the_run(directory):
    running = directory.start("run", directory.write(training()))
    assert finished(running) == exit_codes.OK
    assert "Starting Apache Kafka" in running.stderr
    assert directory.left_behind() == []
    states = list((directory.path / ".fedka").iterdir())
    assert len(states) == 1
    assert states[0].name.startswith("tiny-")
    assert {"bank-a", "bank-b", "aggregator"} <= {
        re.sub(r"^tiny-|-[0-9a-f]{8}\.log$", "", log.name) for log in (states[0] / "logs").iterdir()
    }


HELD = APP.replace(
    "    time.sleep", "    while not __import__('os').path.exists('seen'): time.sleep(0.02)\n    time.sleep"
)


def test_terminal_gets_a_live_view(directory, kafka):
    directory.app(HELD)
    file = directory.write(training(rounds={"count": 5}))
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(directory.path)
        os.environ["TERM"] = "xterm-256color"
        command = [sys.executable, "-m", "fedka", "run", file, "--bootstrap-servers", kafka.bootstrap_servers]
        os.execv(sys.executable, command)  # noqa: S606  no shell is the point
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    shown = _read_all(terminal, running=(directory.path / "seen").touch)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == exit_codes.OK
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", shown).decode()
    for word in ("Running", "FedAvg", "5/5 rounds", "Accepted", "accuracy", "logs: .fedka/tiny-", "tiny: Complete"):
        assert word in text
    assert b"\x1b[" in shown


def _read_all(terminal: int, running: Callable[[], None]) -> bytes:
    """To the end; calls `running` once the view has said that the run is."""
    shown = b""
    while True:
        if b"Running" in shown:
            running()
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side has closed
            piece = b""
        if not piece:
            os.close(terminal)
            return shown
        shown += piece


def test_participant_run_by_hand_takes_part(directory, run):
    participants = [{"name": "bank-a"}, {"name": "bank-b", "mode": "External"}]
    running = run(training(participants=participants), "--state-dir", "state")
    told = running.until("bank-b is External")
    bundle = re.search(r"fedka participant --bundle (\S+)", told)[1]
    by_hand = directory.start("participant", "--bundle", bundle)
    assert finished(running) == exit_codes.OK
    assert by_hand.wait() == exit_codes.OK
    assert "2 of 2 updates" in running.stderr


def test_stop_while_kafka_starts_leaves_nothing(directory):
    running = directory.start("run", directory.write(training()))
    running.until("Starting Apache Kafka")
    running.send(signal.SIGTERM)
    assert finished(running) == exit_codes.INTERRUPTED
    assert re.search("stopped before the run had begun|fedka: interrupted", running.stderr)  # by who was in charge
    assert directory.left_behind() == []
    assert not (directory.path / ".fedka").exists()


def test_change_that_comes_after_the_end_is_said_to_be_left_aside(run):
    once = run(training(), "--state-dir", "state")
    assert finished(once) == exit_codes.OK
    again = run(training(), "--state-dir", "state", "--set", "rounds.count=10")
    assert finished(again) == exit_codes.OK
    assert "this run is Complete and does not go on" in again.stderr
    assert "spec.rounds.count: 3 -> 10" in again.stderr


def kill_kafka(directory) -> None:
    settings = f"{directory.path}/state/kafka/server.properties"
    broker = next(pid for pid, command in directory.processes() if settings in command)
    os.kill(broker, signal.SIGKILL)


def test_run_starts_its_own_kafka_again_and_goes_on(directory):
    file = directory.write(training(app=PAUSE, rounds={"count": 60}))
    running = directory.start("run", file, "--state-dir", "state")
    running.until("round 1/60")
    kill_kafka(directory)
    running.until("Apache Kafka has ended, which was not asked for: starting it again")
    assert finished(running) == exit_codes.OK
    assert "Complete (AllRoundsDone" in running.stdout
    assert directory.left_behind() == []


def test_kafka_that_cannot_be_started_again_ends_a_run(directory):
    running = directory.start("run", directory.write(LONG), "--state-dir", "state")
    running.until("round 1/2000")
    (directory.path / "state/kafka/data/meta.properties").write_text("version=1\ncluster.id=another\n")
    kill_kafka(directory)
    assert finished(running) == exit_codes.RUN_FAILED
    assert "Apache Kafka has ended" in running.stderr
    assert "Once that is mended: fedka run training.yaml --state-dir state" in running.stderr
    assert directory.left_behind() == []
