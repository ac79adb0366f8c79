"""Commands of the docs that the docs' own test does not run: why, and which test runs the same, if any does.

`by` is a path in tests/ or `no one`. A command of the docs that is not here is run.
"""

from dataclasses import dataclass

NO_ONE = "no one"
DEMO = "it makes the environment and downloads 2 GB, and then takes a minute"
OWN_TEST = "the example's own test runs it, on a broker that runs already"
CLUSTER = "it needs a Kubernetes with Fedka on it"
SELF_RUN = "the test of the example runs it, and judges what was learnt"
ADMIN = "it needs a Kafka with users and ACLs, and its administrator"
REGISTRY = "it needs Docker and a registry"
YOURS = "it acts on a cluster of the reader's, with names of the reader's"
ROOT_CLUSTER = "it starts a cluster as root, which takes half an hour the first time"


@dataclass(frozen=True)
class NotRun:
    """`parts` are beginnings of commands."""

    why: str
    by: str
    parts: tuple[str, ...]


NOT_RUN = (
    NotRun(DEMO, "tests/examples/test_hospital.py", ("make demo",)),
    NotRun("it is the shell of the reader that it changes", NO_ONE, (". .venv/bin/activate",)),
    NotRun("it is the test suite itself", NO_ONE, ("make test", "make test-fast")),
    NotRun(ROOT_CLUSTER, "tests/cluster/test_cluster.py", ("make cluster", "make cluster-down")),
    NotRun(ROOT_CLUSTER, "tests/e2e/test_hospital.py", ("make demo-cluster",)),
    NotRun(
        "it needs Docker and kind's node image",
        "tests/cluster/test_keeper.py",
        ("FEDKA_CLUSTER=kind make cluster",),
    ),
    NotRun(REGISTRY, "tests/cluster/test_images.py", ("docker build -f images/Dockerfile",)),
    NotRun(
        YOURS,
        "tests/chart/test_installation.py",
        ("helm upgrade", "kubectl create namespace", "kubectl -n fedka-system"),
    ),
    NotRun(YOURS, NO_ONE, ("helm uninstall fedka", "kubectl delete crd", "kubectl patch ft NAME")),
    NotRun(YOURS, "tests/e2e/test_deletion.py", ("kubectl delete federatedtrainings",)),
    NotRun(
        CLUSTER,
        "tests/e2e/test_hospital.py",
        ("kubectl apply -f examples/hospital/cluster.yaml", "kubectl get ft -n hospitals"),
    ),
    NotRun(
        CLUSTER,
        "tests/cli/test_real_cluster.py",
        ("fedka status hospital", "fedka rounds hospital", "fedka model get hospital"),
    ),
    NotRun(CLUSTER, "tests/cli/test_outside.py", ("fedka bundle TRAINING", "fedka join --bundle participant.bundle")),
    NotRun(
        "it needs an API server",
        "tests/docs/test_on_a_server.py",
        (
            "kubectl create configmap mine",
            "kubectl patch --local -f training.yaml",
            "kubectl apply -f on-cluster.yaml",
        ),
    ),
    NotRun(
        CLUSTER,
        NO_ONE,
        (
            "kubectl wait --for=condition=Complete ft/first",
            "fedka status first",
            "fedka model get first",
        ),
    ),
    NotRun("the README has the same run", "tests/docs/test_commands.py", (".venv/bin/fedka run examples/hospital/",)),
    NotRun(SELF_RUN, "tests/examples/test_bank_over_kafka.py", (".venv/bin/fedka run examples/bank/",)),
    NotRun(SELF_RUN, "tests/examples/test_numpy_logistic.py", (".venv/bin/fedka run examples/numpy-logistic/",)),
    NotRun(DEMO, "tests/examples/test_bank.py", ("make demo-bank",)),
    NotRun(
        ADMIN,
        "tests/kafka_rights/test_as_documented.py",
        ("kafka-configs --bootstrap-server kafka.example.org", "kafka-acls --bootstrap-server kafka.example.org"),
    ),
    NotRun(DEMO, "tests/examples/test_numpy_logistic.py", ("make demo-digits",)),
    NotRun(ADMIN, "tests/cli/test_replay_rights.py", ("kafka-configs", "kafka-acls", "fedka replay --bundle")),
)
