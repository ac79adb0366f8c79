"""The hospital example with torch in pods, on the cluster that a newcomer makes, demonstrates and ends with `make`."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..cluster.node_namespaces import Network
from ..cluster.traces import has_ended, processes_of, traces
from ..cluster.waiting import wait_until
from .administrator import Administrator
from .kept_cluster import OWN_NODE, kafka_of_operator, keeper
from .trainings import GONE, Api, ApiException, Training, completed, digest, ended

pytestmark = pytest.mark.cluster
EXAMPLE = Path(__file__).parents[2] / "examples" / "hospital"
FEDKA = Path(sys.executable).with_name("fedka")
NAMESPACE, NAME = "hospitals", "hospital"
GENEROUS_SECONDS = 600


@dataclass(frozen=True)
class Kept:
    """`began` is what `make cluster` said, `processes` are all that it left running."""

    began: subprocess.CompletedProcess[str]
    processes: list[int]
    api: Api


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    """`make cluster`, and `make cluster-down` where no test came to it. Whoever asks for it comes before all others."""
    assert OWN_NODE.keeper() is None, "end the cluster that you have: make cluster-down"
    began = keeper("up")
    try:
        assert began.returncode == 0, began.stdout + began.stderr
        holder = OWN_NODE.keeper()
        assert holder is not None
        yield Kept(began, processes_of(holder), Api(OWN_NODE.kubeconfig))
    finally:
        keeper("down")


@pytest.fixture(scope="module")
def demonstration(kept: Kept) -> subprocess.CompletedProcess[str]:
    """`make demo-cluster`."""
    del kept
    return keeper("demo")


@pytest.fixture(scope="module")
def training(demonstration, kept: Kept) -> Training:
    return Training(kept.api, NAMESPACE, {"metadata": {"name": NAME}})


def test_the_cluster_is_kept_and_its_user_told_how_to_reach_it(kept: Kept):
    assert f"export KUBECONFIG={OWN_NODE.kubeconfig}" in kept.began.stdout
    again = keeper("up")
    assert (again.returncode, "runs already" in again.stdout) == (0, True)


def test_the_demonstration_ends_with_complete_and_says_what_to_look_at(demonstration):
    assert demonstration.returncode == 0, demonstration.stdout + demonstration.stderr
    assert "10/10" in demonstration.stdout
    assert "Look at:" in demonstration.stdout


def test_its_rounds_are_seen_to_move(demonstration):
    watched = demonstration.stdout.partition("$ fedka status")[0]
    seen = [int(number) for number in re.findall(r"\b(\d+)/10\b", watched)]
    assert len(set(seen)) > 1
    assert seen == sorted(seen)


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


def fedka(*arguments: str) -> str:
    where = ["-n", NAMESPACE, "--kubeconfig", str(OWN_NODE.kubeconfig)]
    command = [str(FEDKA), *arguments, *where]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def test_its_rounds_and_logs_can_be_read(training: Training):
    rounds = json.loads(fedka("rounds", NAME, "-o", "json"))["rounds"]
    assert [row["round"] for row in rounds] == list(range(1, 11))
    assert "round 10" in fedka("logs", NAME, "university")
    everybody = fedka("logs", NAME, "--tail", "3")
    assert "rural" in everybody
    assert fedka("logs", NAME, "--aggregator")


def test_its_model_can_be_fetched(training: Training, tmp_path: Path):
    model = tmp_path / "model.safetensors"
    fedka("model", "get", NAME, "-o", str(model))
    assert model.stat().st_size > 1000


def test_uninstalled_as_the_page_has_it_nothing_is_left(training: Training, kept: Kept, tmp_path: Path):
    ours = str(training.status["kafkaId"])
    administrator = Administrator(tmp_path, OWN_NODE.kubeconfig)
    kafka = kafka_of_operator(kept.api, tmp_path)
    assert kafka.topics(ours)
    administrator.types("kubectl delete federatedtrainings --all")
    kafka.until_no_trace(ours)
    training.wait_for(lambda: not training.pods(), "rid of its pods")
    administrator.types("helm uninstall fedka")
    administrator.types("kubectl delete crd")
    with pytest.raises(ApiException) as refused:
        training.get()
    assert refused.value.status == GONE


def test_ended_by_make_it_leaves_nothing_on_the_machine(kept: Kept):
    assert traces(OWN_NODE.home, Network())
    ended = keeper("down")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    holder, *others = kept.processes
    assert all(has_ended(process) for process in others)
    assert wait_until(lambda: has_ended(holder), GENEROUS_SECONDS)  # it has let go of the lock a moment before its end
    assert traces(OWN_NODE.home, Network()) == []
    assert not OWN_NODE.kubeconfig.exists()
    assert "No cluster runs" in keeper("down").stdout
