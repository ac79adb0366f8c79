"""What a training pod may not do, and what installations and trainings may not do to one another."""

import pytest

from ..cluster.cluster import Cluster
from .conftest import Make
from .pods import run_python
from .trainings import condition, ended

pytestmark = pytest.mark.cluster

ASK = """
import os, ssl, urllib.request, pathlib
print("token", pathlib.Path("/var/run/secrets/kubernetes.io").exists())
print("variable", "KUBERNETES_SERVICE_HOST" in os.environ)
try:
    context = ssl._create_unverified_context()
    urllib.request.urlopen("%s/api/v1/namespaces", context=context, timeout=20)
    print("answered")
except urllib.error.HTTPError as error:
    print("refused", error.code)
"""


def test_a_training_pod_gets_nothing_from_the_kubernetes_api(make: Make, cluster: Cluster):
    training = make(rounds={"count": 500}).create()
    training.until_round(1)
    for pod in training.pods():
        said = run_python(cluster, pod, ASK % cluster.api.url)
        assert "token False" in said
        assert "answered" not in said
        assert "refused 401" in said or "refused 403" in said
    training.delete()


def test_an_unknown_kafka_cluster_is_named(make: Make):
    training = make(kafka={"clusterName": "elsewhere"}).create()
    status = training.until(lambda status: bool(condition(status, "Stalled")), "judged")
    assert condition(status, "Stalled")["reason"] == "UnknownKafkaCluster"
    assert "elsewhere" in condition(status, "Stalled")["message"]
    assert ended(status) is None
