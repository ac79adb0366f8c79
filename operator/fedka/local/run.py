"""One training on this machine: the parts of `fedka run`, put together.

Everything is what runs on Kubernetes but the API server and the kubelet: the operator with its planner, Kafka with its
topics, the pods' own commands. The order of starting makes use of the seconds that a broker takes, and the order of
stopping leaves nothing behind: pods first, as they say goodbye over Kafka, then the operator, then the broker.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from fedka.error_groups import first_error
from fedka.kafka.access import client_settings
from fedka.local.crd_admission import CrdAdmission
from fedka.local.kubelet import Machine
from fedka.local.node import Node
from fedka.local.objects import Json
from fedka.local.overheard import OverheardRunLogs
from fedka.local.run_watch import Broker, LocalRun, Observer
from fedka.local.saved import SavedTraining, SavingCluster
from fedka.local.served import served
from fedka.local.state_dir import BUNDLES, TRAINING_FILE, StateDir
from fedka.plan.settings import KafkaCluster, Settings
from fedka.provision.admin import AdminProvisioner
from fedka.reconcile.kafka_side import KafkaSide
from fedka.reconcile.operator import Operator
from fedka.reconcile.run_log import KafkaRunLogs
from fedka.reconcile.spec_topic import KafkaSpecTopics
from fedka.wire.bundle import KafkaAccess


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be run, and where.

    `image_dir` stands for the image: pods are started in it and find the app there. `environment` is what they inherit.
    `grace_seconds` is what a pod gets to end in order when the run is stopped.
    """

    training: Json
    state_dir: StateDir
    image_dir: Path
    environment: Mapping[str, str]
    grace_seconds: float


@contextlib.asynccontextmanager
async def local_run(
    request: Request,
    observer: Observer,
    *,
    kafka: Broker | str,
    clock: Callable[[], datetime],
    random: Random,
) -> AsyncIterator[LocalRun]:
    """Start everything and submit the training; at the end stop everything in order.

    `kafka` is a broker to start or the bootstrap servers of a cluster that exists. A part that breaks down cancels the
    body, and its error is raised. Raises LocalKafkaError where Kafka does not start.
    """
    async with contextlib.AsyncExitStack() as stack:
        servers = kafka if isinstance(kafka, str) else await stack.enter_async_context(served(kafka))
        access = KafkaAccess(bootstrap_servers=servers)
        cluster = SavingCluster(
            SavedTraining(request.state_dir.path / TRAINING_FILE),
            namespace=request.training["metadata"].get("namespace") or "default",
            clock=clock,
            random=random,
            admission=CrdAdmission(),
            unsaved=lambda error: run.give_up(str(error)),
        )
        run = LocalRun(
            observer,
            access=access,
            cluster=cluster,
            server=None if isinstance(kafka, str) else kafka,
            bundles=request.state_dir.path / BUNDLES,
        )
        operator = _operator(request, run, access, cluster, clock=clock, random=random)
        node = Node(cluster, _machine(request), clock=clock, random=random)
        await cluster.submit(request.training)
        async with _background(run.watch(), operator.run()), _background(run.keep_kafka(), node.run()):
            yield run


@contextlib.asynccontextmanager
async def _background(*work: Any) -> AsyncIterator[None]:
    """Run coroutines beside the body, and cancel them at its end. The first one to fail fails the body."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
            yield
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as errors:  # the first to fail is the cause: it had the others cancelled
        raise first_error(errors) from None


def _operator(
    request: Request,
    run: LocalRun,
    access: KafkaAccess,
    cluster: SavingCluster,
    *,
    clock: Callable[[], datetime],
    random: Random,
) -> Operator:
    name = (request.training["spec"].get("kafka") or {}).get("clusterName", "default")
    shared = client_settings(access)
    side = KafkaSide(
        provisioner=AdminProvisioner(shared),
        run_logs=OverheardRunLogs(KafkaRunLogs(shared), run),
        spec_topics=KafkaSpecTopics(shared),
    )
    settings = Settings(
        kafka_clusters={name: KafkaCluster(access)},  # whatever Kafka the file names: here there is one
        state_directory=str(request.state_dir.participants),
        pods_end_with_operator=True,  # whoever interrupts a long round seven times has seen no failure
    )
    return Operator(cluster=cluster, kafka={name: side}, settings=settings, clock=clock, random=random)


def _machine(request: Request) -> Machine:
    """Pods share this machine's cores, as limits would divide them in a cluster: N participants whose libraries start
    a thread for each core would spend their time on waiting for one another.
    """
    participants = len(request.training["spec"]["participants"])
    threads = max(1, (os.cpu_count() or 1) // participants)
    return Machine(
        state_dir=request.state_dir.path,
        image_dir=request.image_dir,
        environment={"OMP_NUM_THREADS": str(threads), **request.environment},
        stop_seconds=request.grace_seconds,
    )
