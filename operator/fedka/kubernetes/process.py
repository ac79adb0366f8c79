"""The operator on Kubernetes, put together: watches, leadership, work, endpoints, and an end that leaves nothing open.

The order of stopping: work first, so that nothing is changed any more; then the Lease goes back, and another one may
begin at once; then what only listens.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from fedka.kubernetes.api import Api
from fedka.kubernetes.cluster import KubernetesCluster
from fedka.kubernetes.configuration import OperatorConfiguration
from fedka.kubernetes.credential_files import contents, credential_files, until_changed
from fedka.kubernetes.endpoints import endpoints
from fedka.kubernetes.lease import KubernetesLease, Leadership
from fedka.kubernetes.login import Login, own_namespace
from fedka.kubernetes.metrics import Metrics
from fedka.kubernetes.sides import kafka_sides
from fedka.kubernetes.watches import SELECTORS, Watches
from fedka.reconcile.operator import Operator
from fedka.reconcile.ports import FEDERATED_TRAINING, ClusterUnavailable, Forbidden, NotFound
from fedka.reconcile.reach import EVERYWHERE, Reach
from fedka.version import VERSION

LOGGER = logging.getLogger("fedka.kubernetes")
LEASE = "fedka-operator"
AWAY_SECONDS = 2.0
OUTSIDE = "default"  # the Lease's namespace where the operator runs outside of the cluster and is told none


class CannotStart(Exception):
    """The cluster lacks something, or refuses it: the message says what to do about it."""


async def serve(configuration: OperatorConfiguration, *, login: Login, identity: str, stop: asyncio.Event) -> None:
    """Run an operator until `stop` is set, or its credentials for a Kafka have changed, which only a new start takes
    up; it is no leader any more when this returns.

    Raises ConfigurationInvalid, NoClusterAccess, CannotStart, LeadershipLost, WatchSilent, a ClusterError.
    """
    metrics = Metrics()
    credentials = contents(credential_files(configuration))  # before the clients read them
    settings, sides = configuration.settings(), kafka_sides(configuration)
    api = Api(login, answered=metrics.answered)
    namespaces = tuple(dict.fromkeys(configuration.watch_namespaces))
    cluster = KubernetesCluster(api, namespaces=namespaces, selectors=SELECTORS, instance=identity)
    leadership = Leadership(
        KubernetesLease(api, configuration.lease_namespace or own_namespace() or OUTSIDE, LEASE),
        identity=identity,
        clock=_now,
        monotonic=time.monotonic,
    )
    reach = Reach(namespaces or (EVERYWHERE,))
    operator = Operator(
        cluster=cluster,
        kafka=sides,
        settings=settings,
        clock=_now,
        random=Random(),  # noqa: S311  jitter, no secrets
        still_leader=leadership.held,
        meter=metrics,
        resync_seconds=configuration.resync_seconds,
        reach=reach,
    )
    metrics.show(operator, leadership.held, sides, reach)
    watches = Watches(api, operator.observe, reach)
    try:
        alive, ready = [("watching", lambda: watches.alive)], [("all that exists is known", lambda: operator.ready)]
        async with endpoints(configuration.port, alive=alive, ready=ready, metrics=metrics.text) as port:
            where = ", ".join(namespaces) or "all namespaces"
            LOGGER.info("version %s, watching %s; endpoints on port %d", VERSION, where, port)
            if await _unless(stop, _check_access(cluster)):  # the kubelet asks for signs of life meanwhile
                await _work(operator, watches, leadership, stop=stop, credentials=credentials)
    finally:
        await operator.close()
        await api.close()


async def _work(
    operator: Operator,
    watches: Watches,
    leadership: Leadership,
    *,
    stop: asyncio.Event,
    credentials: Mapping[Path, bytes],
) -> None:
    working = asyncio.create_task(operator.work(leading=leadership.acquire), name="operator-work")
    keeping = asyncio.create_task(leadership.keep(), name="operator-lease")
    stopping = asyncio.create_task(stop.wait(), name="operator-stop")
    watching = asyncio.create_task(watches.run(), name="operator-watch")
    changing = asyncio.create_task(until_changed(credentials), name="operator-credentials")
    try:
        await asyncio.wait((working, keeping, stopping, watching, changing), return_when=asyncio.FIRST_COMPLETED)
        for ended in (keeping, working, watching):
            if ended.done():
                ended.result()
        if changing.done():
            LOGGER.warning(
                "%s has changed: the operator ends, to take it up when it is started again", changing.result()
            )
    finally:
        for task in (working, keeping, stopping, changing):
            task.cancel()
        await asyncio.gather(working, keeping, stopping, changing, return_exceptions=True)
        await leadership.release()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether the work came to its end before the operator was to stop."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    for task in (working, stopping):
        if not task.done():
            task.cancel()
    await asyncio.gather(working, stopping, return_exceptions=True)
    if stop.is_set():
        return False
    working.result()
    return True


async def _check_access(cluster: KubernetesCluster) -> None:
    """What is wrong from the start ends it, for whoever installs it to see. An API server that is away is waited for:
    ending now would leave it to the kubelet's growing back-off when to look again.
    """
    while True:
        try:
            await cluster.check_listing(FEDERATED_TRAINING)
        except NotFound as error:
            raise CannotStart(f"there is no FederatedTraining here: install the CRD (crds/) first ({error})") from error
        except Forbidden as error:
            raise CannotStart(
                f"the operator's ServiceAccount lacks the right to list trainings wherever it is to watch them: {error}"
            ) from error
        except ClusterUnavailable as error:
            LOGGER.warning("the API server is waited for: %s", error)
            await asyncio.sleep(AWAY_SECONDS)
        else:
            return


def _now() -> datetime:
    return datetime.now(UTC)
