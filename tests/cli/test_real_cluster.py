"""The commands as users have them, against a real Kubernetes API."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.wire.bundle_file import read_files

from ..cluster.api_server import ApiServer
from .trainings import training

pytestmark = pytest.mark.kubernetes

EXTERNAL = [{"name": "bank-a"}, {"name": "bank-b", "mode": "External"}]


@dataclass
class Cluster:
    """A namespace with a training in it, and the commands in a directory."""

    server: ApiServer
    namespace: str
    directory: object

    def fedka(self, *arguments: str, kubeconfig: Path | None = None, namespaced: bool = True):
        where = ("-n", self.namespace) if namespaced else ()
        return self.directory.fedka(*arguments, *where, KUBECONFIG=str(kubeconfig or self.server.kubeconfig))

    def object(self) -> dict[str, object]:
        return self.server.get("federatedtraining", "tiny", f"--namespace={self.namespace}")


@pytest.fixture
def cluster(api_server: ApiServer, directory) -> Cluster:
    namespace = api_server.fresh_namespace("cli")
    api_server.apply({**training(participants=EXTERNAL), "metadata": {"name": "tiny", "namespace": namespace}})
    return Cluster(api_server, namespace, directory)


def test_status_of_one_that_no_operator_has_seen(cluster):
    done = cluster.fedka("status", "tiny")
    assert done.process.returncode == exit_codes.OK, done.stderr
    assert done.stdout.startswith("tiny  Pending  FedAvg")
    assert "no operator has seen it yet" in done.stdout


def test_status_as_json_is_the_resource(cluster):
    assert (
        json.loads(cluster.fedka("status", "tiny", "-o", "json").stdout)["metadata"]["namespace"] == cluster.namespace
    )


def test_unknown_name_lists_what_there_is(cluster):
    done = cluster.fedka("status", "tinny")
    assert done.process.returncode == exit_codes.FAILED
    assert "did you mean tiny?" in done.stderr
    assert "Traceback" not in done.stderr


def test_suspend_and_resume_change_the_spec_and_nothing_else(cluster):
    before = cluster.object()["spec"]
    assert cluster.fedka("suspend", "tiny").process.returncode == exit_codes.OK
    assert cluster.object()["spec"] == {**before, "suspend": True}
    assert cluster.fedka("resume", "tiny").process.returncode == exit_codes.OK
    assert cluster.object()["spec"] == before


def test_bundle_comes_from_its_secret(cluster):
    name = json.loads(cluster.fedka("plan", cluster.directory.write(training(participants=EXTERNAL)), "-o", "json",
                                    namespaced=False).stdout)["secrets"][-1]["metadata"]["name"]  # fmt: skip
    refused = cluster.fedka("bundle", "tiny", "bank-b", "-o", "b.json")
    assert refused.process.returncode == exit_codes.FAILED
    assert "the operator makes it when the run is provisioned" in refused.stderr
    found = refused.stderr.split("/")[1].split(":")[0]
    assert found.rsplit("-", 1)[0] == name.rsplit("-", 1)[0]  # but for the hash over the UID
    uid = cluster.object()["metadata"]["uid"]
    labels = {"fedka.dev/training-uid": uid}
    metadata = {"name": found, "namespace": cluster.namespace, "labels": labels}
    cluster.server.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "stringData": {"bundle.json": "{}", "password": "x"},
        }
    )
    done = cluster.fedka("bundle", "tiny", "bank-b", "-o", "b.json")
    assert done.process.returncode == exit_codes.OK, done.stderr
    assert read_files(cluster.directory.path / "b.json") == {"bundle.json": b"{}", "password": b"x"}


def test_log_of_a_pod_that_no_node_takes_says_why(cluster):
    labels = {
        "fedka.dev/training": "tiny", "fedka.dev/training-uid": cluster.object()["metadata"]["uid"],
        "fedka.dev/role": "participant", "fedka.dev/participant": "bank-a",
    }  # fmt: skip
    metadata = {"name": "one", "namespace": cluster.namespace, "labels": labels}
    spec = {"restartPolicy": "Never", "containers": [{"name": "participant", "image": "i"}]}
    cluster.server.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    done = cluster.fedka("logs", "tiny", "bank-a")
    assert done.process.returncode == exit_codes.OK, done.stderr
    assert "bank-a has no log yet: " in done.stderr
    elsewhere = cluster.fedka("logs", "tiny", "--aggregator")
    assert elsewhere.process.returncode == exit_codes.FAILED
    assert "there is no pod to show a log of" in elsewhere.stderr


def test_watch_ends_when_the_training_is_deleted(cluster):
    running = cluster.directory.start(
        "watch", "tiny", "-n", cluster.namespace, KUBECONFIG=str(cluster.server.kubeconfig)
    )
    patch = json.dumps({"status": {"phase": "WaitingForParticipants", "participants": {"total": 2, "present": 1}}})
    where = f"--namespace={cluster.namespace}"
    cluster.server.kubectl("patch", "ft", "tiny", where, "--subresource=status", "--type=merge", f"--patch={patch}")
    running.until("1 of 2 participants present")
    cluster.server.kubectl("delete", "ft", "tiny", where)
    assert running.wait() == exit_codes.FAILED
    assert "training tiny has been deleted" in running.stderr


def test_without_rights_it_says_which_and_what_to_do(cluster):
    nobody = cluster.server.kubeconfig_for("default", cluster.namespace)
    done = cluster.fedka("status", "tiny", kubeconfig=nobody)
    assert done.process.returncode == exit_codes.FAILED
    assert 'cannot get resource "federatedtrainings"' in done.stderr
    assert "ask whoever runs the cluster for a role that has it" in done.stderr
    assert "Traceback" not in done.stderr


def test_cluster_that_does_not_answer_is_said(cluster, tmp_path):
    config = Path(cluster.server.kubeconfig).read_text().replace(cluster.server.url, "https://127.0.0.1:1")
    (tmp_path / "gone").write_text(config)
    done = cluster.fedka("status", "tiny", kubeconfig=tmp_path / "gone")
    assert done.process.returncode == exit_codes.FAILED
    assert "check that the cluster runs and can be reached" in done.stderr


def test_unknown_context_lists_those_there_are(cluster):
    done = cluster.fedka("status", "tiny", "--context", "nowhere", namespaced=False)
    assert done.process.returncode == exit_codes.FAILED
    assert "has no context nowhere; there are: " in done.stderr


def test_server_is_asked_about_a_file_that_the_command_itself_finds_valid(cluster):
    file = cluster.directory.write(training(kafka={"clusterName": "other"}, participants=EXTERNAL))
    assert cluster.fedka("validate", file, namespaced=False).process.returncode == exit_codes.OK
    done = cluster.fedka("validate", file, "--server")
    assert done.process.returncode == exit_codes.CONFIG
    assert "immutable" in done.stdout
    assert "(the cluster)" in done.stdout


def test_plan_compares_with_what_the_cluster_has(cluster):
    wanted = [*EXTERNAL, {"name": "bank-c"}]
    file = cluster.directory.write(training(rounds={"count": 9}, participants=wanted))
    done = cluster.fedka("plan", file, "--compare", "-o", "json")
    assert done.process.returncode == exit_codes.OK, done.stderr
    found = json.loads(done.stdout)
    assert {field["path"]: field["after"] for field in found["fields"]}["spec.rounds.count"] == 9
    assert "spec.participants.bank-c" in {field["path"] for field in found["fields"]}
    assert [made.split()[0] for made in found["made"]] == ["job", "secret", "topic"]
    assert found["removed"] == []
    assert cluster.object()["spec"]["rounds"]["count"] == 3


def test_plan_says_what_the_cluster_would_refuse(cluster):
    file = cluster.directory.write(training(kafka={"clusterName": "other"}, participants=EXTERNAL))
    done = cluster.fedka("plan", file, "--compare")
    assert done.process.returncode == exit_codes.CONFIG
    assert done.stdout.startswith("tiny: refused by the cluster")
    assert 'spec.kafka.clusterName: "default" -> "other"  (never while it runs)' in done.stdout


def test_kubectl_runs_it_as_a_plugin(cluster):
    installed = Path(sys.executable).parent
    assert (installed / "kubectl-fedka").is_file()  # by the package's entry points, beside `fedka`
    kubectl = cluster.server._programs.path("kubectl")
    path = f"{installed}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "KUBECONFIG": str(cluster.server.kubeconfig)}
    done = subprocess.run(
        [kubectl, "fedka", "suspend", "tiny", "-n", cluster.namespace],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == exit_codes.OK, done.stderr
    shown = subprocess.run(
        [kubectl, "fedka", "status", "--help"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert "kubectl fedka status" in shown.stdout
