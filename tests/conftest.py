"""What every test may ask for: a real Apache Kafka, a real Kubernetes API, each started once at the first need.

Topics and namespaces are not cleaned up between tests: each test takes names of its own.
"""

import shutil
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from xdist.scheduler.loadscope import LoadScopeScheduling

from fedka.local.kafka_server import KafkaServer

from .cluster.api_server import ApiServer, api_server_with_crds
from .cluster.chart import Chart
from .cluster.cluster import Cluster
from .cluster.secured_kafka import SecuredKafka

QUICK = {
    "log.retention.check.interval.ms": "1000",  # tests of retention wait for what it frees
    "log.initial.task.delay.ms": "1000",  # the same, from the start
}
ON_THE_CLUSTER = ("tests/cluster/", "tests/e2e/")
ON_THE_API_SERVER = (
    "tests/cluster/test_api_server.py",  # and not on the cluster: the first that fits counts
    "tests/api/test_agreement.py",
    "tests/chart/",
    "tests/cli/test_real_cluster.py",
    "tests/contract/",
    "tests/crd/",
    "tests/docs/test_on_a_server.py",
    "tests/kubernetes/",
    "tests/plan/test_real_api.py",
    "tests/reconcile/test_children_on_kubernetes.py",
    "tests/reconcile/test_refusals_on_kubernetes.py",
)
ON_THE_SECURED_KAFKA = (
    "tests/cli/test_join.py",
    "tests/cli/test_outside.py",
    "tests/cli/test_replay_rights.py",
    "tests/kafka/test_complaints.py",
    "tests/kafka_rights/",
    "tests/provision/test_identities.py",
)
IN_ONE_RUN = ("tests/hostile/", "tests/integration/test_bad_commits.py")
KEPT = "kept"  # a fixture of tests/e2e
CLUSTER_SECONDS = 900  # a machine may have to import torch first

# No deadline and no judgement of slowness: two cores are shared with brokers, and speed is measured elsewhere.
# No explanations: they trace every line, and a failure here is small once it is shrunk.
settings.register_profile(
    "fedka",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
settings.register_profile("quick", settings.get_profile("fedka"), max_examples=8)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --long`: the random modes of the failure suite and of the fuzzing, for hours when there is time."""
    parser.addoption("--long", action="store_true", help="let tests that draw at random draw for minutes")


@pytest.fixture(scope="session")
def long_mode(request: pytest.FixtureRequest) -> bool:
    """Whether there is time: a test that draws at random draws a hundred times as often then."""
    return bool(request.config.getoption("--long"))


def pytest_configure(config: pytest.Config) -> None:
    """The loop to work in (`make test-fast`) looks at fewer examples."""
    for number, handler in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        if signal.getsignal(number) is signal.SIG_IGN:  # nohup and `&` make deaf, and all that tests start inherits it
            signal.signal(number, handler)
    settings.load_profile("quick" if "not slow" in config.option.markexpr else "fedka")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Making the cluster may take long."""
    if item.get_closest_marker("cluster") is not None:
        item.add_marker(pytest.mark.timeout(CLUSTER_SECONDS))


@pytest.hookimpl(trylast=True)  # nothing sorts them afterwards
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make cluster` keeps a cluster in the place of the one of all tests: those on it come first, and end it."""
    items.sort(key=lambda item: KEPT not in getattr(item, "fixturenames", ()))


class Shares(LoadScopeScheduling):
    """There is one cluster a machine, so one of the workers has all its tests, and begins with them.

    The API server and the secured Kafka have a worker each as well, though every worker could start its own: that takes
    an API server ten seconds. Hostile participants share a run with the others of their file.

    The groups of xdist 3.8 are lost under pytest 9.2: they are written into a member that it no longer reads.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(IN_ONE_RUN):
            return nodeid.partition("::")[0]
        shared = {"api": ON_THE_API_SERVER, "cluster": ON_THE_CLUSTER, "secured": ON_THE_SECURED_KAFKA}
        return next((scope for scope, places in shared.items() if nodeid.startswith(places)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shares:
    """What `make test` shares its tests out by."""
    return Shares(config, log)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """One broker for the whole run: use `kafka.bootstrap_servers`, and leave it running."""
    state_dir = tmp_path_factory.mktemp("kafka")
    with KafkaServer(state_dir=state_dir, properties=QUICK) as server:
        yield server
    shutil.rmtree(
        server.log_path.parent / "data"
    )  # pytest keeps the directories of three runs: the log is enough of this one


@pytest.fixture(scope="session")
def secured_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """One broker with TLS, SCRAM and ACLs for the whole run; leave it running. Users and ACLs are not cleaned up."""
    home = tmp_path_factory.mktemp("secured-kafka")
    with SecuredKafka(home) as server:
        yield server
    shutil.rmtree(server.log_path.parent / "data")  # as above


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """One Kubernetes API without nodes for the whole run, with our CRD: make namespaces in it, and leave it running."""
    with api_server_with_crds(tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One node with Kafka beside it for the whole run: make namespaces in it, and leave it as it was."""
    with Cluster() as whole:
        yield whole


@pytest.fixture(scope="session")
def chart(cluster: Cluster) -> Chart:
    """Fedka on that cluster, with its images, as a fresh installation has it: leave it so."""
    return Chart.installed(cluster)
