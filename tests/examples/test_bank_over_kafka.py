"""`fedka run` of the bank example on a real Kafka: it learns what the reference loop learns, and no number leaks."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from fedka import exit_codes
from fedka.masking import CardMask, read_key
from fedka.participant.entrypoint import load_app

from ..reference_loop import reference_run
from .leaks import Planted, contents, tokens_in
from .loading import EXAMPLES, importable

pytestmark = pytest.mark.kafka

EXAMPLE = EXAMPLES / "bank"
SPEC = yaml.safe_load((EXAMPLE / "training.yaml").read_text())["spec"]
NAMES = [participant["name"] for participant in SPEC["participants"]]
CONFIG = SPEC["app"]["config"]
ROUNDS = 3
PATIENCE = 240
HOMES = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


@dataclass(frozen=True)
class Finished:
    """A run that is over: its final resource, all files that it left here and in Kafka, and all records it wrote."""

    status: dict
    files: dict[Path, bytes]
    records: list[bytes]
    tokens: frozenset[str]


@pytest.fixture(scope="module")
def cards():
    """The raw data of all banks: the numbers of the cards, as plain digits."""
    with importable(EXAMPLE):
        from payments import card_system  # noqa: PLC0415

        seed = int(CONFIG["split_seed"])
        return {name: {number.replace(" ", "") for number in card_system(name, seed).card} for name in NAMES}


@pytest.fixture(scope="module")
def planted(cards) -> Planted:
    return Planted(set.union(*cards.values()))


@pytest.fixture(scope="module")
def finished(kafka, cards, tmp_path_factory) -> Finished:
    here = tmp_path_factory.mktemp("bank")
    state_dir = here / "state"
    command = [sys.executable, "-m", "fedka", "run", str(EXAMPLE / "training.yaml"), "-o", "json"]
    command += ["--state-dir", str(state_dir), "--model-out", str(here / "model.safetensors")]
    command += ["--bootstrap-servers", kafka.bootstrap_servers, "--set", f"rounds.count={ROUNDS}"]
    homes = {name: str(here / name.lower()) for name in HOMES}  # whatever a program writes without being told where
    for home in homes.values():
        Path(home).mkdir()
    with (here / "stdout").open("wb") as stdout, (here / "stderr").open("wb") as stderr:
        done = subprocess.run(
            command,
            cwd=here,
            env=os.environ | homes,
            stdout=stdout,
            stderr=stderr,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == exit_codes.OK, (here / "stderr").read_text()
    resource = yaml.safe_load((here / "stdout").read_text())
    run = f"default.bank.{resource['metadata']['uid'][:8]}"
    broker = kafka.log_path.parent
    logs = [path for path in (broker / "data").iterdir() if run in path.name or path.name.startswith("__")]
    masks = {name: CardMask(read_key(state_dir / "participants" / name / "app" / "masking.key")) for name in NAMES}
    return Finished(
        status=resource["status"],
        files=dict(contents(here, kafka.log_path, *logs)),
        records=records(kafka.bootstrap_servers, run),
        tokens=frozenset(token for name in NAMES for token in masks[name].tokens(cards[name])),
    )


def records(servers: str, part_of_name: str) -> list[bytes]:
    """Keys, headers and values of all records in some topics, decompressed as a consumer has them."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "unused", "enable.partition.eof": True})
    topics = {
        name: topic for name, topic in consumer.list_topics(timeout=PATIENCE).topics.items() if part_of_name in name
    }
    open_ends = {(name, partition) for name, topic in topics.items() for partition in topic.partitions}
    consumer.assign([TopicPartition(name, partition, 0) for name, partition in open_ends])
    found = []
    while open_ends:
        message = consumer.poll(PATIENCE)
        assert message is not None, open_ends
        if message.error() is not None:  # an end
            open_ends.discard((message.topic(), message.partition()))
            continue
        headers = b"\n".join(key.encode() + b"=" + (value or b"") for key, value in message.headers() or [])
        found.append(b"\n".join([message.key() or b"", headers, message.value() or b""]))
    consumer.close()
    return found


def test_the_run_gives_the_model_of_the_reference_loop(finished):
    with importable(EXAMPLE):
        app = load_app(SPEC["app"]["entrypoint"], EXAMPLE)
        expected = reference_run(app, dict.fromkeys(NAMES, CONFIG), seed=SPEC["rounds"]["seed"], rounds=ROUNDS)
    assert finished.status["phase"] == "Complete"
    assert finished.status["model"]["digest"] == f"blake3:{expected[-1].digest}"


def test_both_figures_of_merit_are_in_the_status(finished):
    assert {metric["name"] for metric in finished.status["model"]["metrics"]} == {
        "loss",
        "average_precision",
        "roc_auc",
    }


def test_what_is_searched_is_all_that_a_run_leaves(finished):
    names = {path.name for path in finished.files}
    places = {path.parent.name for path in finished.files}
    assert {"training.json", "operator.log", "model.safetensors", "stdout", "stderr", "kafka.log"} <= names
    assert {"logs", "app", "__cluster_metadata-0"} <= places
    for topic in ("spec", "journal", "audit", "model", *(f"update.{name}" for name in NAMES)):
        kind, _, name = topic.partition(".")
        segments = [
            path for path in finished.files if path.parent.name.startswith(f"fedka.{kind}.") and path.suffix == ".log"
        ]
        assert any(finished.files[path] for path in segments if f".{name}-" in path.parent.name or not name), topic
    assert len(finished.records) > ROUNDS * len(NAMES)


def test_no_card_number_is_in_any_file(finished, planted):
    assert [path for path, data in finished.files.items() if planted.leaked_in(data)] == []


def test_no_card_number_is_in_any_record(finished, planted):
    assert [record for record in finished.records if planted.leaked_in(record)] == []


def test_no_token_is_in_any_file_or_record(finished):
    leaks = [*finished.files.values(), *finished.records]
    assert len(finished.tokens) > 500
    assert [tokens for data in leaks if (tokens := tokens_in(data) & finished.tokens)] == []


def test_the_search_finds_a_number_in_a_record_that_its_log_hides_by_compression(kafka, planted):
    topic = "leaky.bank.control"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "compression.type": "gzip"})
    producer.produce(topic, f"paid with {min(planted.numbers)} ".encode() * 50)
    assert producer.flush(PATIENCE) == 0
    (segment,) = (kafka.log_path.parent / "data" / f"{topic}-0").glob("*.log")
    assert not planted.leaked_in(segment.read_bytes())
    assert any(map(planted.leaked_in, records(kafka.bootstrap_servers, topic)))
