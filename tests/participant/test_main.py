"""How a participant's process begins and ends."""

import signal
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer
from fedka.wire.bundle import DOCUMENT
from fedka.wire.codec import control_decoder
from fedka.wire.journal import JournalPosition, judge, sign, start
from fedka.wire.names import CONTROL_PARTITION
from fedka.wire.records import AggregatorStarted, Bye, Hello, RunCompleted

from ..integration.rig import Rig
from . import process
from .memory_wire import ME

PATIENCE = 60.0
APP = """
import dataclasses, numpy, fedka

@dataclasses.dataclass
class Config:
    epochs: int = 1

app = fedka.App(config=Config)

@app.model
def model(context):
    if context.config.epochs == 13:
        raise OSError("no disk")
    return {"w": numpy.zeros(2, numpy.float32)} if context.config.epochs < 9 else None

@app.train
def train(model, context):
    return fedka.Trained(examples=1)
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "small.py").write_text(APP)
    return tmp_path


def ended(bundle: Path, where: Path) -> tuple[int, str]:
    """The exit code and the log of a participant that ends by itself."""
    running = process.start(bundle, where)
    _, log = running.communicate(timeout=PATIENCE)
    return running.returncode, log


def test_without_a_bundle_it_says_what_is_missing(tmp_path):
    code, log = ended(tmp_path, tmp_path)
    assert code == exit_codes.CONFIG
    assert f"{tmp_path / DOCUMENT}: No such file or directory" in log
    assert "Traceback" not in log


def test_an_aggregators_bundle_is_refused(tmp_path):
    bundle = process.write_bundle(tmp_path)
    text = (bundle / DOCUMENT).read_text().replace('"participant"', '"aggregator"', 1)
    (bundle / DOCUMENT).write_text(text)
    code, log = ended(bundle, tmp_path)
    assert code == exit_codes.CONFIG
    assert "a bundle of role aggregator: a participant's, with an app, is needed" in log


@pytest.mark.parametrize(
    ("entrypoint", "config", "message"),
    [
        ("elsewhere:app", {}, "there is no module elsewhere"),
        ("small:app", {"epochs": "two"}, "epochs: 'two' does not fit int"),
        ("small:app", {"epochs": "9"}, "the model function returned None"),
    ],
)
def test_what_a_restart_cannot_help_ends_with_its_own_code(app, entrypoint, config, message):
    code, log = ended(process.write_bundle(app / "bundle", entrypoint=entrypoint, config=config), app)
    assert code == exit_codes.CONFIG
    assert message in log


def test_an_app_that_raises_while_making_its_model_leaves_its_traceback(app):
    code, log = ended(process.write_bundle(app / "bundle", config={"epochs": "13"}), app)
    assert code == exit_codes.FAILED
    assert f"{ME}: the model function raised OSError: no disk" in log
    assert 'raise OSError("no disk")' in log


@pytest.fixture
def rig(kafka: KafkaServer, tmp_path: Path):
    rig = Rig(kafka.bootstrap_servers, tmp_path / "rig", [ME])
    yield rig
    rig.close()


def joined(rig: Rig, app: Path):
    """A participant that has been heard."""
    bundle = process.write_bundle(app / "bundle", run=rig.topics.run, bootstrap=str(rig.settings["bootstrap.servers"]))
    rig.spec()
    rig.aggregator.start()
    running = process.start(bundle, app)
    rig.journal.wait(lambda journal: ME in journal.state.present, "the participant's hello")
    return running


def said(rig: Rig) -> list[object]:
    decoder = control_decoder()
    records = rig.view.read_to_end(rig.topics.update(ME), CONTROL_PARTITION)
    return [decoder.decode(record.value) for record in records]


@pytest.mark.kafka
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_a_goodbye(rig, app, number):
    running = joined(rig, app)
    running.send_signal(number)
    _, log = running.communicate(timeout=PATIENCE)
    assert running.returncode == exit_codes.INTERRUPTED
    assert "Traceback" not in log
    assert isinstance(said(rig)[0], Hello)
    assert isinstance(said(rig)[-1], Bye)


@pytest.mark.kafka
def test_it_ends_when_the_run_has(rig, app):
    running = joined(rig, app)
    rig.completed()
    _, log = running.communicate(timeout=PATIENCE)
    assert running.returncode == exit_codes.OK
    assert "training complete (RoundsDone)" in log


@pytest.mark.kafka
def test_a_run_that_has_ended_is_left_without_a_word(rig, app):
    begun = start(JournalPosition(), AggregatorStarted(software="test"))
    position, _ = judge(JournalPosition(), begun)
    _, done = sign(position, RunCompleted(reason="RoundsDone"))
    for data in (begun, done):
        rig.writer.write_now(rig.topics.journal, 0, data)
    bootstrap = str(rig.settings["bootstrap.servers"])
    code, _ = ended(process.write_bundle(app / "bundle", run=rig.topics.run, bootstrap=bootstrap), app)
    assert code == exit_codes.OK
    assert said(rig) == []
