"""The operator's figures for Prometheus. What is known elsewhere is asked for when somebody looks, never copied."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from fedka.api.reasons import Phase
from fedka.reconcile.meter import Outcome
from fedka.reconcile.operator import Operator
from fedka.reconcile.reach import EVERYWHERE, Reach
from fedka.version import VERSION

RECONCILE_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


class Metrics:
    """Of one process; no global registry, so that tests can have several."""

    def __init__(self) -> None:
        # Or each counter has a second series, which says when this process began.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # has no types
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._reconciles = Counter(
            "fedka_reconciles", "Reconciles by how they ended.", ["outcome"], registry=self.registry
        )
        for outcome in Outcome:
            self._reconciles.labels(outcome)
        self._seconds = Histogram(
            "fedka_reconcile_seconds",
            "How long a reconcile took.",
            registry=self.registry,
            buckets=RECONCILE_SECONDS,
        )
        self._requests = Counter(
            "fedka_kubernetes_requests",
            "Requests to the Kubernetes API, code 0: no answer. Status writes are PATCH federatedtrainings/status.",
            ["method", "resource", "code"],
            registry=self.registry,
        )

    def reconciled(self, outcome: Outcome, seconds: float) -> None:
        """See `Meter.reconciled`."""
        self._reconciles.labels(outcome).inc()
        self._seconds.observe(seconds)

    def answered(self, method: str, path: str, code: int) -> None:
        """See `Api`."""
        self._requests.labels(method, resource_of(path), str(code)).inc()

    def show(self, operator: Operator, leads: Callable[[], bool], kafkas: Iterable[str], reach: Reach) -> None:
        """Include what these know."""
        self.registry.register(_Present(operator, leads, tuple(kafkas), reach))

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)


class _Present(Collector):
    """The state of things at the moment of asking."""

    def __init__(self, operator: Operator, leads: Callable[[], bool], kafkas: tuple[str, ...], reach: Reach) -> None:
        self._operator = operator
        self._leads = leads
        self._kafkas = kafkas
        self._reach = reach

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """See `Collector`."""
        yield _gauge("fedka_queue_depth", "Trainings that wait for a worker.", self._operator.depth)
        yield _gauge("fedka_leader", "Whether this process leads.", self._leads())
        yield _gauge("fedka_ready", "Whether all that exists is known.", self._operator.ready)
        phases = self._operator.phases()
        trainings = GaugeMetricFamily("fedka_trainings", "Trainings by phase.", labels=["phase"])
        for phase in Phase:
            trainings.add_metric([phase], phases[phase])
        yield trainings
        away = self._operator.unreachable()
        kafka = GaugeMetricFamily(
            "fedka_kafka_reachable", "Whether no training has found this Kafka cluster away.", labels=["cluster"]
        )
        for name in self._kafkas:
            kafka.add_metric([name], name not in away)
        yield kafka
        watched = GaugeMetricFamily(
            "fedka_namespace_watched", "Whether this one of watchNamespaces can be looked into.", labels=["namespace"]
        )
        for name in self._reach.places:
            if name != EVERYWHERE:
                watched.add_metric([name], self._reach.covers(name))
        yield watched
        build = GaugeMetricFamily("fedka_build_info", "The version of Fedka.", labels=["version"])
        build.add_metric([VERSION], 1)
        yield build


def resource_of(path: str) -> str:
    """What a request is about, without names: `jobs`, `federatedtrainings/status`; `discovery`: what there is."""
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    if not parts:
        return "discovery"
    if parts[0] == "namespaces" and len(parts) > 2:  # noqa: PLR2004  namespaces/NAME/...: the namespace is not the subject
        parts = parts[2:]
    return "/".join(parts[::2])


def _gauge(name: str, told: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, told, value=float(value))
