"""The hospital example with torch in pods, and the demonstration that a newcomer runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..cluster.cluster import Cluster
from ..cluster.programs import kubernetes_programs
from .kafka_admin import KafkaAdmin
from .trainings import Api, Training, completed, digest, ended

pytestmark = pytest.mark.cluster
EXAMPLE = Path(__file__).parents[2] / "examples" / "hospital"
FEDKA = Path(sys.executable).with_name("fedka")
NAMESPACE, NAME = "hospitals", "hospital"
GENEROUS_SECONDS = 600


@pytest.fixture(scope="module")
def demonstration(cluster: Cluster, api: Api) -> subprocess.CompletedProcess[str]:
    """`make demo-cluster`, as far as it is Python."""
    kubectl = kubernetes_programs().path("kubectl")
    environment = os.environ | {"KUBECONFIG": str(cluster.api.kubeconfig)}
    command = [sys.executable, str(EXAMPLE / "cluster_demo.py"), "--kubectl", str(kubectl)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=GENEROUS_SECONDS, check=False
    )


@pytest.fixture(scope="module")
def training(demonstration, api: Api) -> Training:
    return Training(api, NAMESPACE, {"metadata": {"name": NAME}})


def test_the_demonstration_ends_with_complete_and_says_what_to_look_at(demonstration):
    assert demonstration.returncode == 0, demonstration.stdout + demonstration.stderr
    assert "10/10" in demonstration.stdout
    assert "Look at:" in demonstration.stdout


def test_its_events_tell_the_story(demonstration):
    told = demonstration.stdout.partition("Its story")[2]
    for reason in ("Provisioning", "Running", "Complete"):
        assert reason in told


def test_the_model_is_that_of_the_run_on_one_machine(training: Training, tmp_path: Path):
    command = [str(FEDKA), "run", str(EXAMPLE / "training.yaml"), "-o", "json", "--state-dir", str(tmp_path / "state")]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=GENEROUS_SECONDS)
    status = training.status
    assert (ended(status), completed(status)) == ("Complete", 10)
    assert digest(status) == digest(json.loads(ran.stdout)["status"])


def fedka(cluster: Cluster, *arguments: str) -> str:
    where = ["-n", NAMESPACE, "--kubeconfig", str(cluster.api.kubeconfig)]
    command = [str(FEDKA), *arguments, *where]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def test_its_rounds_and_logs_can_be_read(training: Training, cluster: Cluster):
    rounds = json.loads(fedka(cluster, "rounds", NAME, "-o", "json"))["rounds"]
    assert [row["round"] for row in rounds] == list(range(1, 11))
    assert "round 10" in fedka(cluster, "logs", NAME, "university")
    everybody = fedka(cluster, "logs", NAME, "--tail", "3")
    assert "rural" in everybody
    assert fedka(cluster, "logs", NAME, "--aggregator")


def test_its_model_can_be_fetched(training: Training, cluster: Cluster, tmp_path: Path):
    model = tmp_path / "model.safetensors"
    fedka(cluster, "model", "get", NAME, "-o", str(model))
    assert model.stat().st_size > 1000


def test_its_deletion_leaves_nothing(training: Training, cluster: Cluster, api: Api):
    ours = str(training.status["kafkaId"])
    training.delete()
    training.until_gone()
    KafkaAdmin(cluster.kafka).until_no_trace(ours)
    training.wait_for(lambda: not training.pods(), "rid of its pods")
    api.core.delete_namespace(NAMESPACE)
