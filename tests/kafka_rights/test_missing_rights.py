"""A pod that Kafka does not let in, or to a topic, says which topic, which right, and who; waiting would be silent."""

import os
import queue
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.aggregator.admission import Doubt
from fedka.kafka.errors import KafkaError, KafkaTrouble, PasswordRefused
from fedka.kafka.log_record import Start
from fedka.kafka.tail import Tail
from fedka.last_words import refusal_in
from fedka.wire.bundle import CA_FILE, DOCUMENT, PASSWORD_FILE, AppSettings, Bundle, KafkaAccess

from ..cluster.secured_kafka import SecuredKafka
from .parties import PASSWORD, Run

pytestmark = pytest.mark.kafka

GENEROUS_SECONDS = 60.0


def write_bundle(directory: Path, run: Run, kafka: SecuredKafka, *, role: str, user: str, password: str) -> None:
    """A pod's bundle with somebody's credentials."""
    access = KafkaAccess(
        bootstrap_servers=kafka.bootstrap_servers,
        security_protocol="SASL_SSL",
        ca_file=CA_FILE,
        sasl_mechanism="SCRAM-SHA-512",
        username=user,
        password_file=PASSWORD_FILE,
    )
    participant = "a" if role == "participant" else None
    document = Bundle.model_validate(
        {
            "role": role,
            "run": run.topics.run,
            "training": "fraud",
            "namespace": "default",
            "participant": participant,
            "kafka": access,
            "app": AppSettings(entrypoint="small:app") if participant else None,
        }
    )
    (directory / DOCUMENT).write_text(document.model_dump_json(by_alias=True, exclude_none=True))
    (directory / PASSWORD_FILE).write_text(password)
    shutil.copy(kafka.ca_file, directory / CA_FILE)
    (directory / "small.py").write_text(
        "import numpy as np, fedka\n"
        "app = fedka.App()\n"
        "app.model(lambda context: {'w': np.zeros(1, np.float32)})\n"
        "app.train(lambda model, context: fedka.Trained(examples=1))\n"
        "app.examples(lambda context: 1)\n"
    )


def start(directory: Path, role: str) -> "subprocess.Popen[str]":
    """That pod's process."""
    return subprocess.Popen(
        [sys.executable, "-m", "fedka", role],
        cwd=directory,
        env={**os.environ, "FEDKA_BUNDLE": str(directory), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


Pods = dict[str, "subprocess.Popen[str]"]
KEPT_OUT = {  # role, whose user, whether with its password
    "participant without a right": ("participant", "b", PASSWORD),
    "aggregator without a right": ("aggregator", "reader", PASSWORD),
    "participant with a void password": ("participant", "a", "revoked"),
    "aggregator with a void password": ("aggregator", "aggregator", "revoked"),
}


@pytest.fixture(scope="module")
def pods(own: Run, secured_kafka: SecuredKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pods]:
    """All at once, as each of them waits whether what Kafka says stays so."""
    started: Pods = {}
    for name, (role, as_who, password) in KEPT_OUT.items():
        directory = tmp_path_factory.mktemp("pod")
        user = own.parties[as_who].user
        write_bundle(directory, own, secured_kafka, role=role, user=user, password=password)
        started[name] = start(directory, role)
    yield started
    for pod in started.values():
        pod.kill()
        pod.communicate()


def last_error(pod: "subprocess.Popen[str]") -> str:
    """What it said last, once it has ended for good."""
    log, _ = pod.communicate(timeout=GENEROUS_SECONDS)
    assert pod.returncode == exit_codes.CONFIG, log
    assert refusal_in(log), log
    return refusal_in(log)


@pytest.mark.parametrize(
    ("role", "as_who", "topic"), [("participant", "b", "update.a"), ("aggregator", "reader", "spec")]
)
def test_a_missing_right_is_named(own: Run, pods: Pods, role: str, as_who: str, topic: str):
    user = own.parties[as_who].user
    assert f"{user} lacks Describe on topic {own.topic(topic)}" in last_error(pods[f"{role} without a right"])


@pytest.mark.parametrize(("role", "who"), [("participant", "a"), ("aggregator", "aggregator")])
def test_a_void_password_is_named_with_a_topic_and_ends_the_pod(own: Run, pods: Pods, role: str, who: str):
    error = last_error(pods[f"{role} with a void password"])
    assert f"the password of user {own.parties[who].user} was refused" in error
    assert own.topic("journal") in error


def test_a_connection_that_is_refused_while_the_aggregator_is_at_work_is_looked_into(own: Run):
    """What the process does with it is the engine's: it raises, as it does when its data plane has ended."""
    settings = own.parties["aggregator"].settings
    void = {**settings, "sasl.password": "revoked"}
    topics, user = [own.topic("journal")], own.parties["aggregator"].user
    told: queue.SimpleQueue[KafkaError] = queue.SimpleQueue()
    doubt = Doubt(void, topics, user, refused=told.put)

    def hear(trouble: KafkaTrouble) -> None:
        if trouble.refused:
            doubt.ask()

    tail = Tail(void, [Start(own.topic("journal"))], deliver=lambda _record: None, trouble=hear, name="test")
    tail.start()
    try:
        assert isinstance(told.get(timeout=GENEROUS_SECONDS), PasswordRefused)
    finally:
        tail.close()


def test_a_refusal_of_a_moment_is_none(own: Run):
    """As where one broker of several does not know a user yet: the others answer."""
    refused: list[KafkaError] = []
    party = own.parties["aggregator"]
    doubt = Doubt(party.settings, [own.topic("journal")], party.user, refused=refused.append)
    doubt.ask()
    doubt.join()
    assert refused == []
