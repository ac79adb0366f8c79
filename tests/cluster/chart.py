"""Fedka on the cluster of this machine, installed as its users install it: with Helm, from the chart in this tree."""

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

from .cluster import Cluster
from .helm import Helm, HelmFailed, helm_program
from .image_recipes import ROOT
from .images import Image, build_images
from .programs import silent
from .secured_kafka import SecuredKafka

CHART = ROOT / "charts" / "fedka"
RELEASE = "fedka"
NAMESPACE = "fedka-system"
CREDENTIALS = "fedka-kafka"
PREFIX = "fedka"
FOUNDATIONS = ("libraries", "torch")
PATIENCE = "180s"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
SHOWN_LINES = 15
LOOKS_FOR_KINDS = "kube-controller-manager"  # its garbage collector, at its start and every 30 s

Values = dict[str, Any]


class NotReady(Exception):
    """The operator did not become ready; the message ends with what it said."""


def fresh_values(*, fedka: str, participant: str, kafka: SecuredKafka, address: str, prefix: str = PREFIX) -> Values:
    """Of a new installation with these images, whose pods reach this Kafka at `address`."""
    repository, tag = fedka.rsplit(":", 1)
    return {
        "image": {"repository": repository, "tag": tag},
        "defaultImages": {"participant": participant},
        "kafkaClusters": [
            {
                "name": "default",
                "bootstrapServers": kafka.bootstrap_servers,
                "securityProtocol": "SASL_SSL",
                "saslMechanism": "SCRAM-SHA-512",
                "credentialsSecret": {"name": CREDENTIALS},
                "caSecret": {"name": CREDENTIALS, "key": "ca.crt"},
                "replication": 1,
                "prefix": prefix,
                "networkPolicy": {"egress": [{"to": [{"ipBlock": {"cidr": f"{address}/32"}}]}]},
            }
        ],
    }


def credentials(kafka: SecuredKafka, namespace: str, prefix: str = PREFIX) -> Values:
    """The Secret that these values name, of a user of the operator's own that this makes."""
    user, password = kafka.add_operator(prefix)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": CREDENTIALS, "namespace": namespace},
        "stringData": {
            "username": user,
            "password": password,
            "ca.crt": kafka.ca_file.read_text(),
        },
    }


class Chart:
    """The release `fedka` in a namespace of its own, which the node has the `images` of."""

    def __init__(
        self,
        cluster: Cluster,
        images: Sequence[Image],
        *,
        namespace: str = NAMESPACE,
        prefix: str = PREFIX,
        progress: Callable[[str], None] = silent,
    ) -> None:
        self._cluster = cluster
        self.namespace = namespace
        self._prefix = prefix
        self._images = {image.kind: image for image in images}
        self._progress = progress
        self._helm = Helm(helm_program(progress=progress), cluster.home, cluster.api.kubeconfig)

    @classmethod
    def installed(cls, cluster: Cluster, *, progress: Callable[[str], None] = silent) -> Self:
        """Of this very tree, on a cluster that has neither images nor a release yet."""
        cluster.import_images(build_images(progress=progress, kinds=FOUNDATIONS))  # a minute, the first time
        images = build_images(progress=progress)  # what may have been edited meanwhile
        cluster.import_images(images)
        cluster.forget_images(but=images)
        chart = cls(cluster, images, progress=progress)
        chart.install()
        return chart

    def beside(self, namespace: str, prefix: str) -> "Chart":
        """Another installation on the same cluster and Kafka, which is not there yet."""
        images = list(self._images.values())
        return Chart(self._cluster, images, namespace=namespace, prefix=prefix, progress=self._progress)

    def image(self, kind: str) -> str:
        """The name of the image that the node has, such as `participant`."""
        return self._images[kind].name

    def install(self, changes: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Returns when the operator is ready. Raises NotReady, KubectlFailed."""
        self._progress("Installing the chart")
        self._cluster.api.create_namespace(self.namespace, RESTRICTED)
        self._cluster.api.apply(credentials(self._cluster.kafka, self.namespace, self._prefix))
        try:
            self.upgrade(changes)
        except HelmFailed as failure:
            raise NotReady(f"{failure}\n{self._said()}") from failure
        self._cluster.api.restart(LOOKS_FOR_KINDS)

    def upgrade(self, changes: Mapping[str, Any]) -> None:
        """To the values of a fresh installation with `changes` over them. Raises HelmFailed."""
        path = self._cluster.home / "state" / "values.json"
        path.write_text(json.dumps(self.values() | dict(changes)))
        self._helm.run(
            "upgrade", "--install", RELEASE, str(CHART), f"--namespace={self.namespace}", f"--values={path}",
            "--wait", f"--timeout={PATIENCE}",
        )  # fmt: skip

    def uninstall(self) -> None:
        """Leaves the CRD with all trainings. Raises HelmFailed."""
        self._helm.run("uninstall", RELEASE, f"--namespace={self.namespace}", "--wait", f"--timeout={PATIENCE}")

    def values(self) -> Values:
        """Of a fresh installation."""
        return fresh_values(
            fedka=self.image("fedka"),
            participant=self.image("participant"),
            kafka=self._cluster.kafka,
            address=self._cluster.network.host,
            prefix=self._prefix,
        )

    def _said(self) -> str:
        pods = self._cluster.api.kubectl("get", "pods", f"--namespace={self.namespace}", "--output=wide")
        logs = (self._cluster.home / "state" / "var-log-pods").glob(f"{self.namespace}_*/*/*.log")
        return "\n".join([pods, *(line for log in logs for line in log.read_text().splitlines()[-SHOWN_LINES:])])
