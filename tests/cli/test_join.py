"""`fedka join`: an External participant on a machine of its own."""

import base64
import json
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fedka import exit_codes
from fedka.cli.errors import CommandFailed
from fedka.cli.join import app_place
from fedka.wire.bundle import DOCUMENT, Bundle
from fedka.wire.bundle_file import pack, read_files, write_private

from ..cluster.certificates import write_certificates
from ..cluster.secured_kafka import SecuredKafka
from ..integration.rig import Rig
from ..participant import process

ME = "bank-b"
SAME_APP = "tiny_app:app"


@pytest.fixture
def rig(kafka, tmp_path):
    rig = Rig(kafka.bootstrap_servers, tmp_path / "rig", [ME])
    rig.spec()
    rig.aggregator.start()
    yield rig
    rig.close()


@pytest.fixture
def bundle(rig, tmp_path) -> Path:
    """The bundle as one file, as `fedka bundle` writes it."""
    files = read_files(
        process.write_bundle(
            tmp_path / "made", name=ME, run=rig.topics.run, bootstrap=rig.bootstrap, entrypoint=SAME_APP
        )
    )
    path = tmp_path / "bundle.json"
    write_private(path, pack(files))
    return path


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """Where what `join` unpacks goes: other tests join at the same time."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    return place


def private_directories(temporary: Path) -> set[str]:
    return {str(path) for path in temporary.glob("fedka-join-*")}


@pytest.mark.kafka
def test_participant_takes_part_to_the_end_and_leaves_nothing_behind(directory, rig, bundle, temporary):
    done = directory.fedka("join", "--bundle", str(bundle))
    assert done.process.returncode == exit_codes.OK, done.stderr
    for line in (
        "joined the training",
        "round 1: trained 10 examples in",
        "round 1: update accepted",
        "round 3: closed",
    ):
        assert line in done.stderr
    assert "training complete" in done.stderr.splitlines()[-1]
    assert rig.completed().completed == 3
    assert private_directories(temporary) == set()


@pytest.mark.kafka
def test_secret_from_stdin_an_app_in_a_file_and_its_settings(directory, rig, bundle, tmp_path):
    (tmp_path / "code").mkdir()
    (directory.path / "tiny_app.py").rename(tmp_path / "code" / "mine.py")
    data = {name: base64.b64encode(content).decode() for name, content in read_files(bundle).items()}
    secret = yaml.safe_dump({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": data})
    command = [sys.executable, "-m", "fedka", "join", "--bundle", "-", "--app", "code/mine.py:app"]
    done = subprocess.run(
        [*command, "--config", "pause=0.01"],
        cwd=tmp_path, input=secret, text=True, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == exit_codes.OK, done.stderr
    assert rig.completed().completed == 3


@pytest.mark.kafka
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_told_to_stop_it_says_goodbye_and_leaves_nothing_behind(directory, rig, bundle, temporary, number):
    rig.obeyed(rig.spec(rounds={"count": 1000}))
    running = directory.start("join", "--bundle", str(bundle), "--config", "pause=0.2")
    running.until("round 1: trained")
    running.send(number)
    assert running.wait() == exit_codes.INTERRUPTED
    assert "good bye" in running.stderr
    rig.journal.wait(lambda journal: ME not in journal.state.present, "the goodbye")
    assert private_directories(temporary) == set()


@pytest.mark.kafka
def test_killed_worker_is_started_again_and_the_run_goes_on(directory, rig, bundle):
    rig.obeyed(rig.spec(rounds={"count": 10}))
    running = directory.start("join", "--bundle", str(bundle), "--config", "pause=0.3")
    running.until("round 1: trained")
    (worker,) = [pid for pid, command in directory.processes() if "--unsupervised" in command]
    subprocess.run(["kill", "-KILL", str(worker)], check=True)
    assert running.wait() == exit_codes.OK
    assert "ended with code 137, starting again" in running.stderr
    assert rig.completed().completed == 10


def test_bundle_that_is_none_is_said_before_anything_starts(directory):
    directory.write({"kind": "Pod"}, "pod.yaml")
    done = directory.fedka("join", "--bundle", "pod.yaml")
    assert done.process.returncode == exit_codes.CONFIG
    assert "pod.yaml: a connection bundle is needed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--app", "nothing"], "--app nothing: write module:object or file.py:object"),
        (["--app", "no.py:app"], "there is no file no.py"),
        (["--config", "epochs"], "--config epochs: write NAME=VALUE"),
    ],
)
def test_wrong_words_are_wrong_usage(directory, arguments, fault):
    made = process.write_bundle(directory.path / "made")
    done = directory.fedka("join", "--bundle", str(made), *arguments)
    assert done.process.returncode == exit_codes.USAGE
    assert fault in done.stderr


def test_aggregators_bundle_cannot_join(directory):
    made = process.write_bundle(directory.path / "made")
    document = json.loads((made / DOCUMENT).read_text())
    (made / DOCUMENT).write_text(json.dumps({**document, "role": "aggregator", "participant": None}))
    done = directory.fedka("join", "--bundle", str(made))
    assert done.process.returncode == exit_codes.CONFIG
    assert "only a participant's can join" in done.stderr


def test_place_of_an_app_in_a_file_is_its_directory(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "fraud.py").touch()
    monkeypatch.chdir(tmp_path)
    assert app_place("sub/fraud.py:app") == (tmp_path / "sub", "fraud:app")
    assert app_place("fraud.models:app") == (tmp_path, "fraud.models:app")
    with pytest.raises(CommandFailed):
        app_place("fraud.py")


@pytest.fixture
def secured(secured_kafka: SecuredKafka, tmp_path: Path) -> Path:
    """The bundle of a participant on the secured broker, in a directory; its user does not exist."""
    made = process.write_bundle(tmp_path / "made", name=ME, run=f"test.x.{secrets.token_hex(4)}", entrypoint=SAME_APP)
    access = {
        "bootstrapServers": secured_kafka.bootstrap_servers,
        "securityProtocol": "SASL_SSL",
        "caFile": "ca.crt",
        "saslMechanism": "SCRAM-SHA-512",
        "username": "somebody",
        "passwordFile": "password",
    }
    document = json.loads((made / DOCUMENT).read_text())
    bundle = Bundle.model_validate({**document, "kafka": access})
    (made / DOCUMENT).write_text(bundle.model_dump_json(by_alias=True))
    (made / "ca.crt").write_bytes(secured_kafka.ca_file.read_bytes())
    (made / "password").write_text("wrong")
    return made


@pytest.mark.kafka
def test_revoked_identity_ends_it_with_the_cause_and_the_fix(directory, secured):
    done = directory.fedka("join", "--bundle", str(secured))
    assert done.process.returncode == exit_codes.CONFIG
    assert "the password of user somebody was refused: it is wrong, or the user has been revoked" in done.stderr
    assert "a new connection bundle is needed" in done.stderr.splitlines()[-1]


@pytest.mark.kafka
def test_authority_that_does_not_fit_ends_it_with_the_cause(directory, secured):
    write_certificates(ca=secured / "ca.crt", server=secured / "server.pem", names=("localhost",))
    done = directory.fedka("join", "--bundle", str(secured))
    assert done.process.returncode == exit_codes.CONFIG
    assert "certificate does not fit the CA" in done.stderr


@pytest.mark.kafka
def test_nobody_at_the_address_is_told_and_waited_for(directory):
    made = process.write_bundle(directory.path / "made", entrypoint=SAME_APP)
    running = directory.start("join", "--bundle", str(made))
    assert "Connection refused" in running.until("waiting: no answer from Kafka at 127.0.0.1:1")
    running.send(signal.SIGINT)
    assert running.wait() == exit_codes.INTERRUPTED
