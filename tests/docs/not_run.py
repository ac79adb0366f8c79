"""Commands of the docs that the docs' own test does not run: why, and which test runs the same, if any does.

`by` is a path in tests/ or `no one`. A command of the docs that is not here is run.
"""

from dataclasses import dataclass

NO_ONE = "no one"
DEMO = "it makes the environment and downloads 2 GB, and then takes a minute"
CLUSTER = "it needs a Kubernetes with Fedka on it"
SELF_RUN = "the test of the example runs it, and judges what was learnt"
ADMIN = "it needs a Kafka with users and ACLs, and its administrator"
REGISTRY = "it needs Docker and a registry"
YOURS = "it acts on a cluster of the reader's, with names of the reader's"
LONG = "it takes many minutes; the test does the same in few"
ROOT_CLUSTER = "it starts a cluster as root, which takes half an hour the first time"


@dataclass(frozen=True)
class NotRun:
    """`parts` are beginnings of commands."""

    why: str
    by: str
    parts: tuple[str, ...]


NOT_RUN = (
    NotRun(DEMO, "tests/examples/test_demos.py", ("make demo",)),
    NotRun("it is the shell of the reader that it changes", NO_ONE, (". .venv/bin/activate",)),
    NotRun("it is the test suite itself", NO_ONE, ("make test", "make test-fast")),
    NotRun(ROOT_CLUSTER, "tests/e2e/test_hospital.py", ("make cluster", "make demo-cluster", "make cluster-down")),
    NotRun(
        "it needs Docker and kind's node image",
        "tests/cluster/test_keeper.py",
        ("FEDKA_CLUSTER=kind make cluster",),
    ),
    NotRun(REGISTRY, "tests/cluster/test_images.py", ("docker build -f images/Dockerfile",)),
    NotRun(
        YOURS,
        "tests/docs/test_on_a_server.py",
        ("kubectl create namespace", "kubectl -n fedka-system", "kubectl patch ft NAME"),
    ),
    NotRun(YOURS, "tests/e2e/test_operator.py", ("helm upgrade fedka", "helm rollback fedka")),
    NotRun(YOURS, "tests/e2e/test_deletion.py", ("helm upgrade --install fedka", "helm uninstall fedka")),
    NotRun(YOURS, "tests/e2e/test_hospital.py", ("kubectl delete federatedtrainings", "kubectl delete crd")),
    NotRun(
        CLUSTER,
        "tests/e2e/test_hospital.py",
        (
            "kubectl apply -f examples/hospital/cluster.yaml",
            "kubectl get ft -n hospitals",
            "fedka rounds hospital",
            "fedka model get hospital",
            "fedka model get first",
        ),
    ),
    NotRun(CLUSTER, "tests/cli/test_real_cluster.py", ("fedka status hospital", "fedka status first")),
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
    NotRun(CLUSTER, "tests/crd/test_kubectl.py", ("kubectl wait --for=condition=Complete ft/first",)),
    NotRun(
        LONG,
        "tests/kubernetes/test_benches.py",
        tuple(f".venv/bin/python bench/{name}.py" for name in ("rounds", "control_plane", "running")),
    ),
    NotRun(CLUSTER, "tests/e2e/test_first_round.py", (".venv/bin/python bench/first_round.py",)),
    NotRun(LONG, "tests/failures/test_pull_plugs.py", (".venv/bin/python -m tests.pull_plugs",)),
    NotRun("the README has the same run", "tests/docs/test_commands.py", (".venv/bin/fedka run examples/hospital/",)),
    NotRun(SELF_RUN, "tests/examples/test_demos.py", (".venv/bin/fedka run examples/bank/",)),
    NotRun(SELF_RUN, "tests/examples/test_numpy_logistic.py", (".venv/bin/fedka run examples/numpy-logistic/",)),
    NotRun(DEMO, "tests/examples/test_demos.py", ("make demo-bank",)),
    NotRun(
        ADMIN,
        "tests/kafka_rights/test_as_documented.py",
        ("kafka-configs --bootstrap-server kafka.example.org", "kafka-acls --bootstrap-server kafka.example.org"),
    ),
    NotRun(DEMO, "tests/examples/test_numpy_logistic.py", ("make demo-digits",)),
    NotRun(ADMIN, "tests/cli/test_replay_rights.py", ("kafka-configs", "kafka-acls", "fedka replay --bundle")),
)

# Of other programs than `fedka` and `make`, which the tests look at themselves.
IN_SENTENCES = (
    NotRun("it is an introduction's", "tests/docs/test_on_a_server.py", ("kubectl apply",)),
    NotRun(LONG, "tests/examples/test_demos.py", (".venv/bin/python examples/hospital/demo.py --seeds 10",)),
    NotRun(
        "the hospitals' is the same in all but its app",
        "tests/examples/test_demos.py",
        (".venv/bin/python examples/bank/demo.py --seeds 10",),
    ),
    NotRun(LONG, "tests/failures/test_kills_at_random.py", ("pytest --long tests/failures",)),
    NotRun("it is a part of the test suite", NO_ONE, (".venv/bin/python -m pytest tests/wire",)),
    NotRun(YOURS, "tests/crd/test_kubectl.py", ("kubectl describe ft NAME", "kubectl explain ft")),
    NotRun(
        "they are of Kubernetes alone",
        NO_ONE,
        ("kubectl describe pod", "kubectl describe job", "kubectl get lease", "kubectl get pods", "kubectl logs"),
    ),
    NotRun(YOURS, "tests/e2e/test_operator.py", ("helm upgrade",)),
    NotRun(YOURS, "tests/docs/test_on_a_server.py", ("kubectl create quota",)),
    NotRun("it names an option of a command, not the whole", NO_ONE, ("kafka-configs.sh --entity-type users",)),
    NotRun("it needs OpenSSL", NO_ONE, ("openssl rand -hex 32",)),
)
