"""What `FEDKA_CLUSTER=kind make cluster` asks of Docker, kind, kubectl and Helm, which write it down here."""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from . import kind
from .chart import CHART
from .cluster import ClusterRuns
from .docker_images import CommandFailed, DockerAway, ProgramMissing
from .fake_programs import GATEWAY, Call, Programs
from .image_recipes import ROOT

pytestmark = pytest.mark.slow  # a start calls sixteen programs


@dataclass
class FakeKafka:
    """Remembers where it was started, and whether it runs."""

    ca_file: Path
    bootstrap_servers: str = f"{GATEWAY}:19093"
    homes: list[Path] = field(default_factory=list)
    runs: bool = False

    def add_operator(self, prefix: str) -> tuple[str, str]:
        assert self.runs
        return f"{prefix}-operator", "a password"

    @contextlib.contextmanager
    def start(self, home: Path, address: str) -> Iterator["FakeKafka"]:
        home.mkdir(parents=True, exist_ok=True)
        (home / "data").touch()
        self.homes.append(home)
        assert address == GATEWAY
        self.runs = True
        try:
            yield self
        finally:
            self.runs = False


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs.installed(tmp_path, monkeypatch)


@pytest.fixture
def kafka(tmp_path: Path) -> FakeKafka:
    ca = tmp_path / "ca.crt"
    ca.write_text("an authority")
    return FakeKafka(ca)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def silent(_message: str) -> None:
    pass


def run(home: Path, kafka: FakeKafka) -> contextlib.AbstractContextManager[Path]:
    return kind.running(home, silent, kafka.start)


def tags(programs: Programs) -> dict[str, str]:
    images = programs.state.known("images", {})
    return {alias: identity.removeprefix("sha256:")[:12] for alias, identity in images.items() if alias.endswith("dev")}


class Asked(NamedTuple):
    """What the first start asked for."""

    calls: list[Call]
    home: Path
    kubeconfig: Path
    tags: dict[str, str]

    def of(self, *words: str) -> list[Call]:
        return [call for call in self.calls if call.words[: len(words)] == list(words)]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    directory = tmp_path_factory.mktemp("asked")
    home = directory / "home"
    (directory / "ca.crt").write_text("an authority")
    with pytest.MonkeyPatch.context() as monkeypatch:
        programs = Programs.installed(directory, monkeypatch)
        monkeypatch.setenv("KUBECONFIG", "/another/cluster")
        with run(home, FakeKafka(directory / "ca.crt")) as kubeconfig:
            return Asked(programs.calls(), home, kubeconfig, tags(programs))


def test_what_it_asks_for_in_which_order(asked: Asked):
    known, kubeconfig = asked.tags, asked.kubeconfig
    fedka = f"localhost/fedka:{known['localhost/fedka:dev']}"
    participant = f"localhost/fedka-participant:{known['localhost/fedka-participant:dev']}"
    hospital = f"localhost/fedka-hospital:{known['localhost/fedka-hospital:dev']}"
    inspect = "docker image inspect --format={{.Id}}"
    assert [call.line for call in asked.calls] == [
        "docker version --format={{.Server.Version}}",
        "kind get clusters",
        f"kind create cluster --name=fedka --kubeconfig={kubeconfig} --wait=180s",
        "docker network inspect kind",
        "docker build --tag=localhost/fedka:dev --file=images/Dockerfile --target=fedka .",
        f"{inspect} localhost/fedka:dev",
        f"docker tag localhost/fedka:dev {fedka}",
        "docker build --tag=localhost/fedka-participant:dev --file=images/Dockerfile --target=participant .",
        f"{inspect} localhost/fedka-participant:dev",
        f"docker tag localhost/fedka-participant:dev {participant}",
        f"docker build --tag=localhost/fedka-hospital:dev --build-arg=BASE={participant} examples/hospital",
        f"{inspect} localhost/fedka-hospital:dev",
        f"docker tag localhost/fedka-hospital:dev {hospital}",
        f"kind load docker-image --name=fedka {fedka} {participant} {hospital} localhost/fedka-hospital:dev",
        f"kubectl --kubeconfig={kubeconfig} apply --server-side --filename=-",
        (
            f"helm upgrade --install fedka {CHART} --namespace=fedka-system --create-namespace "
            f"--values={asked.home / 'state' / 'values.json'} --wait --timeout=180s"
        ),
    ]


def test_docker_builds_from_the_root_with_buildkit(asked: Asked):
    builds = asked.of("docker", "build")
    assert {call.environment["PWD"] for call in builds} == {str(ROOT)}
    assert {call.environment["DOCKER_BUILDKIT"] for call in builds} == {"1"}


def test_the_operator_is_given_a_kafka_that_pods_reach(asked: Asked):
    (helm,) = asked.of("helm")
    assert helm.values is not None
    assert helm.values["image"] == {"repository": "localhost/fedka", "tag": asked.tags["localhost/fedka:dev"]}
    (cluster,) = helm.values["kafkaClusters"]
    assert cluster["bootstrapServers"] == FakeKafka.bootstrap_servers
    assert cluster["networkPolicy"] == {"egress": [{"to": [{"ipBlock": {"cidr": f"{GATEWAY}/32"}}]}]}
    (kubectl,) = asked.of("kubectl")
    namespace, secret = json.loads(kubectl.stdin)["items"]
    assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert secret["metadata"] == {"name": cluster["credentialsSecret"]["name"], "namespace": "fedka-system"}
    assert secret["stringData"] == {"username": "fedka-operator", "password": "a password", "ca.crt": "an authority"}


def test_helm_talks_to_kinds_cluster_and_to_no_other(asked: Asked):
    assert [call.environment["KUBECONFIG"] for call in asked.of("helm")] == [str(asked.kubeconfig)]


def test_kind_uses_docker_also_where_it_would_choose_podman(asked: Asked):
    assert {call.environment["KIND_EXPERIMENTAL_PROVIDER"] for call in asked.of("kind")} == {"docker"}


def test_a_cluster_that_is_there_is_kept_with_its_kafka(programs: Programs, home: Path, kafka: FakeKafka):
    with run(home, kafka):
        programs.calls()
    with run(home, kafka) as kubeconfig:
        lines = [call.line for call in programs.calls()]
    assert lines[1:5] == [
        "kind get clusters",
        "docker start fedka-control-plane",
        f"kind export kubeconfig --name=fedka --kubeconfig={kubeconfig}",
        f"kubectl --kubeconfig={kubeconfig} get --raw=/readyz",
    ]
    assert not any(line.startswith("kind create") for line in lines)
    assert kafka.homes[0] == kafka.homes[1]
    assert (kafka.homes[0] / "data").exists()


def test_a_node_that_has_just_been_started_is_waited_for(programs: Programs, home: Path, kafka: FakeKafka):
    with run(home, kafka) as kubeconfig:
        programs.calls()
    ask = f"kubectl --kubeconfig={kubeconfig} get --raw=/readyz"
    programs.state.set("refused once", {ask: "The connection to the server 127.0.0.1:34567 was refused"})
    with run(home, kafka):
        assert [call.line for call in programs.calls()].count(ask) == 2


def test_a_new_cluster_begins_with_an_empty_kafka(programs: Programs, home: Path, kafka: FakeKafka):
    old = home / "state" / "kafka-of-a-cluster-that-has-gone"
    old.mkdir(parents=True)
    with run(home, kafka):
        assert not old.exists()


def test_another_cluster_of_kind_is_not_ours(programs: Programs, home: Path, kafka: FakeKafka):
    programs.state.set("clusters", ["fedka-2", "kind"])
    with run(home, kafka):
        assert programs.state.known("clusters", []) == ["fedka-2", "kind", "fedka"]
    kind.remove(home)
    assert programs.state.known("clusters", []) == ["fedka-2", "kind"]


def test_another_tree_is_another_image(programs: Programs, home: Path, kafka: FakeKafka):
    with run(home, kafka):
        before = [call.values for call in programs.calls() if call.words[0] == "helm"]
    programs.state.set("tree", "changed")
    with run(home, kafka):
        after = [call.values for call in programs.calls() if call.words[0] == "helm"]
    assert before[0]["image"]["tag"] != after[0]["image"]["tag"]
    assert before[0]["defaultImages"] != after[0]["defaultImages"]


@pytest.mark.parametrize(
    ("name", "advice"),
    [("docker", "docs.docker.com"), ("kind", "kind.sigs.k8s.io"), ("kubectl", "kubernetes.io/docs")],
)
def test_a_missing_program_is_named(programs: Programs, home: Path, monkeypatch, name, advice):
    (programs.directory / name).unlink()
    monkeypatch.setenv("PATH", str(programs.directory))
    with pytest.raises(ProgramMissing, match=rf"no program {name} on the PATH. Install it: .*{advice}"):
        kind.check_programs()


def test_a_daemon_that_is_away_is_to_be_started(programs: Programs, home: Path, kafka: FakeKafka):
    said = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    programs.state.set("refusals", {"docker version": said})
    with pytest.raises(DockerAway, match=r"(?s)Cannot connect.*systemctl start docker.*group docker"), run(home, kafka):
        pass
    assert [call.words[0] for call in programs.calls()] == ["docker"]


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        ([{"Gateway": "203.0.113.1"}], "203.0.113.1, is no address of this machine.*Docker Desktop.*=current"),
        ([{"Subnet": "172.18.0.0/16"}], "no gateway with an IPv4 address"),
        ([{"Gateway": "fc00::1"}], "no gateway with an IPv4 address.*fc00::1"),
    ],
)
def test_kafka_must_have_an_address_that_pods_reach(programs: Programs, home: Path, kafka: FakeKafka, networks, said):
    programs.state.set("networks", networks)
    with pytest.raises(kind.GatewayElsewhere, match=said), run(home, kafka):
        pass
    assert kafka.homes == []


@pytest.mark.parametrize("beginning", ["kind get", "kind create", "docker build"])
def test_what_a_program_says_is_passed_on(programs: Programs, home: Path, kafka: FakeKafka, beginning):
    programs.state.set("refusals", {beginning: "the disk is full"})
    with pytest.raises(CommandFailed, match=rf"(?s)^{beginning}.*: the disk is full"), run(home, kafka):
        pass


def test_after_a_failure_it_goes_on_from_what_is_there(programs: Programs, home: Path, kafka: FakeKafka):
    programs.state.set("refusals", {"kubectl": "the server is overloaded"})
    with pytest.raises(CommandFailed, match="overloaded"), run(home, kafka):
        pass
    assert not kafka.runs
    programs.state.set("refusals", {})
    with run(home, kafka):
        assert kafka.runs


def test_an_operator_that_is_not_ready_is_shown(programs: Programs, home: Path, kafka: FakeKafka):
    programs.state.set("refusals", {"helm upgrade": "Error: context deadline exceeded"})
    with pytest.raises(kind.NotReady, match=r"(?s)context deadline exceeded.*ImagePullBackOff"), run(home, kafka):
        pass
    assert not kafka.runs


def test_two_do_not_keep_it_at_once(programs: Programs, home: Path, kafka: FakeKafka):
    with run(home, kafka):
        programs.calls()
        with (
            pytest.raises(ClusterRuns, match=rf"kept by process {os.getpid()}.*make cluster-down"),
            run(home, kafka),
        ):
            pass
        assert not any(call.words[0] == "kind" for call in programs.calls())


def test_removing_leaves_neither_cluster_nor_data(programs: Programs, home: Path, kafka: FakeKafka):
    with run(home, kafka):
        pass
    kind.remove(home)
    kind.remove(home)
    assert programs.state.known("clusters", []) == []
    assert not (home / "state").exists()
