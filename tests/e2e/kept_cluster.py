"""`make cluster`, `make demo-cluster` and `make cluster-down`, as far as they are Python, with a node of our own."""

import os
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import yaml

from fedka.kafka.access import client_settings
from fedka.wire.bundle import KafkaAccess

from ..cluster.chart import CREDENTIALS, NAMESPACE, RELEASE
from ..cluster.image_recipes import ROOT
from ..cluster.keeper import SORTS, WHICH
from ..cluster.secured_kafka import MECHANISM
from .kafka_admin import KafkaAdmin
from .trainings import Api

OWN_NODE = SORTS[""]
GENEROUS_SECONDS = 840  # the node may have to import torch first


def keeper(command: str) -> subprocess.CompletedProcess[str]:
    """`up`, `demo` or `down`."""
    environment = {name: value for name, value in os.environ.items() if name not in {WHICH, "KUBECONFIG"}}
    return subprocess.run(
        [sys.executable, "-m", "tests.cluster.keeper", command],
        cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=GENEROUS_SECONDS,
    )  # fmt: skip


def kafka_of_operator(api: Api, home: Path) -> KafkaAdmin:
    """With the operator's own rights: who keeps the cluster hands out no others."""
    secret = api.core.read_namespaced_secret(CREDENTIALS, NAMESPACE).data
    configuration = api.core.read_namespaced_config_map(RELEASE, NAMESPACE).data["operator.yaml"]
    (cluster,) = yaml.safe_load(configuration)["kafkaClusters"]
    ca = home / "ca.crt"
    ca.write_bytes(b64decode(secret["ca.crt"]))
    access = KafkaAccess(
        bootstrap_servers=cluster["bootstrapServers"],
        security_protocol="SASL_SSL",
        ca_file=str(ca),
        sasl_mechanism=MECHANISM,
        username=b64decode(secret["username"]).decode(),
    )
    return KafkaAdmin({**client_settings(access), "sasl.password": b64decode(secret["password"]).decode()})
