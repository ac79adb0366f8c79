"""A pod that lacks a right says at its start on which topic, which right, and who: reading would be silent."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


def said(directory: Path, role: str) -> tuple[int, str]:
    """Exit code and log of that pod."""
    ended = subprocess.run(
        [sys.executable, "-m", "fedka", role],
        cwd=directory,
        env={**os.environ, "FEDKA_BUNDLE": str(directory), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=GENEROUS_SECONDS,
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("role", "as_who", "topic"), [("participant", "b", "update.a"), ("aggregator", "reader", "spec")]
)
def test_a_missing_right_is_named(  # noqa: PLR0917  by name
    own: Run, secured_kafka: SecuredKafka, tmp_path: Path, role: str, as_who: str, topic: str
):
    user = own.parties[as_who].user
    write_bundle(tmp_path, own, secured_kafka, role=role, user=user, password=PASSWORD)
    code, log = said(tmp_path, role)
    assert code != 0
    assert f"{user} lacks Describe on topic {own.topic(topic)}" in log


def test_a_void_password_is_named_and_ends_a_participant(own: Run, secured_kafka: SecuredKafka, tmp_path: Path):
    user = own.parties["a"].user
    write_bundle(tmp_path, own, secured_kafka, role="participant", user=user, password="revoked")
    code, log = said(tmp_path, "participant")
    assert code == 78
    assert f"the password of user {user} was refused" in log
