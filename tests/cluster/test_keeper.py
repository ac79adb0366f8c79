"""`make cluster`, `make demo-cluster` and `make cluster-down` with a cluster of kind, whose programs are fakes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from fedka.local.kafka_fetch import default_cache

from .fake_programs import GATEWAY, Programs
from .image_recipes import ROOT

PATIENCE_SECONDS = 60.0
KEEPER_SECONDS = 240.0


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs.installed(tmp_path, monkeypatch)


def keeper(command: str, cache: Path, which: str | None = "kind") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    environment.pop("FEDKA_CLUSTER", None)
    if which is not None:
        environment["FEDKA_CLUSTER"] = which
    return subprocess.run(
        [sys.executable, "-m", "tests.cluster.keeper", command],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=KEEPER_SECONDS,
    )  # fmt: skip


@pytest.fixture
def cache(tmp_path: Path, programs: Programs) -> Iterator[Path]:
    """One of its own, which knows Kafka already. What is kept in it is ended by programs that remove nothing real."""
    own = tmp_path / "cache"
    (own / "fedka").mkdir(parents=True)
    for path in default_cache().glob("kafka-*"):
        (own / "fedka" / path.name).symlink_to(path)
    yield own
    keeper("down", own)


@pytest.mark.kafka
def test_it_is_kept_looked_at_and_removed(programs: Programs, cache: Path):
    began = keeper("up", cache)
    assert began.returncode == 0, began.stdout + began.stderr
    kubeconfig = cache / "fedka" / "kind" / "kubeconfig"
    assert f"export KUBECONFIG={kubeconfig} PATH={Path(sys.executable).parent}:$PATH\n" in began.stdout
    calls = {call.words[0]: call for call in programs.calls()}
    assert clusters_of_kafka(calls["kubectl"].stdin, calls["helm"].values, cache)

    again = keeper("up", cache)
    assert again.returncode == 0
    assert "runs already" in again.stdout

    demo = keeper("demo", cache, which=None)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    applied = next(call for call in programs.calls() if call.words[:2] == ["kubectl", "apply"])
    assert applied.environment["KUBECONFIG"] == str(kubeconfig)

    ended = keeper("down", cache, which=None)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert programs.calls()[-1].line.startswith("kind delete cluster --name=fedka")
    assert not kubeconfig.exists()
    assert "No cluster runs" in keeper("down", cache, which=None).stdout


def clusters_of_kafka(stdin: str, values: dict, cache: Path) -> str:
    """The identity of the Kafka that the chart was told of, asked as the operator would ask it."""
    secret = json.loads(stdin)["items"][1]["stringData"]
    ca = cache / "ca.crt"
    ca.write_text(secret["ca.crt"])
    (cluster,) = values["kafkaClusters"]
    assert cluster["bootstrapServers"].startswith(f"{GATEWAY}:")
    client = AdminClient(
        {
            "bootstrap.servers": cluster["bootstrapServers"],
            "security.protocol": cluster["securityProtocol"],
            "sasl.mechanism": cluster["saslMechanism"],
            "sasl.username": secret["username"],
            "sasl.password": secret["password"],
            "ssl.ca.location": str(ca),
        }
    )
    return str(client.list_topics(timeout=PATIENCE_SECONDS).cluster_id)


def test_why_it_did_not_start_is_said(programs: Programs, cache: Path):
    programs.state.set("refusals", {"kind create": "ERROR: failed to create cluster: failed to pull image"})
    failed = keeper("up", cache)
    assert failed.returncode == 1
    assert "failed to pull image" in failed.stdout
    assert f"log: {cache}/fedka/kind/keeper.log" in failed.stderr


def test_another_word_is_not_taken_for_the_node(cache: Path):
    failed = keeper("up", cache, which="Kind")
    assert failed.returncode == 1
    assert "FEDKA_CLUSTER=Kind" in failed.stderr
