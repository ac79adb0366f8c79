"""The machine that `fedka run` runs on, as a node of the in-memory cluster: a Job controller and a kubelet.

They are all that is missing between the Jobs that the operator writes and processes that run. They look at the cluster
as any client does, through its watch, and they keep nothing that is not in it but the processes themselves.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from random import Random

from fedka.local.cluster import InMemoryCluster
from fedka.local.job_control import Decision, decide
from fedka.local.kubelet import Kubelet, Machine
from fedka.local.objects import Json, controller_of
from fedka.local.pod_volumes import unmount
from fedka.reconcile.ports import JOB, POD, SECRET, Conflict, EventType, NotFound, WatchEvent

CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
JOB_NAME = "batch.kubernetes.io/job-name"

_FIELD_MANAGER = "job-controller"
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"  # as Kubernetes: no vowels, so no words


class Node:
    """Runs every Job of the cluster on this machine while `run` is awaited."""

    def __init__(
        self,
        cluster: InMemoryCluster,
        machine: Machine,
        *,
        clock: Callable[[], datetime],
        random: Random,
        name: str = "local",
    ) -> None:
        self._cluster = cluster
        self._machine = machine
        self._clock = clock
        self._random = random
        self._name = name
        self._syncing = asyncio.Lock()
        self._deadlines: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until cancelled. Then every process is stopped, each within the shorter of its grace and the machine's."""
        unmount(self._machine.state_dir / "pods")  # a run that was killed could not remove its bundles
        async with asyncio.TaskGroup() as tasks:
            kubelet = Kubelet(self._cluster, self._machine, tasks=tasks, clock=self._clock)
            async with contextlib.aclosing(self._cluster.watch((SECRET, JOB, POD))) as changes:
                async for event in changes:
                    await self._observe(event, kubelet, tasks)

    async def _observe(self, event: WatchEvent, kubelet: Kubelet, tasks: asyncio.TaskGroup) -> None:
        obj = dict(event.object)
        if event.kind == SECRET:
            kubelet.secret_changed()
        elif event.kind == JOB and event.type == EventType.DELETED:
            self._forget_deadline(obj)
        elif event.kind == JOB:
            await self._sync(obj["metadata"]["namespace"], obj["metadata"]["name"], tasks)
        elif obj["spec"].get("nodeName") == self._name:
            (kubelet.pod_deleted if event.type == EventType.DELETED else kubelet.pod_changed)(obj)
            if owner := controller_of(obj):
                await self._sync(obj["metadata"]["namespace"], owner["name"], tasks)

    async def _sync(self, namespace: str, name: str, tasks: asyncio.TaskGroup) -> None:
        """Bring one Job a step on. One at a time: two would each create the pod that they miss."""
        async with self._syncing:
            try:
                job = await self._cluster.get(JOB, namespace, name)
            except NotFound:
                return
            labels = {CONTROLLER_UID: job["metadata"]["uid"]}
            pods = await self._cluster.list(POD, namespace=namespace, labels=labels)
            decision = decide(job, pods, self._clock())
            self._await_deadline(job, decision, tasks)
            try:
                await self._cluster.apply_status(job | {"status": decision.status}, field_manager=_FIELD_MANAGER)
            except (Conflict, NotFound):
                return  # it has changed in between, and its own event brings us back
            await self._act(job, pods, decision)

    async def _act(self, job: Json, pods: list[Json], decision: Decision) -> None:
        for pod in pods:
            if pod["metadata"]["name"] in decision.delete_pods and "deletionTimestamp" not in pod["metadata"]:
                await self._cluster.delete(
                    POD, pod["metadata"]["namespace"], pod["metadata"]["name"], uid=pod["metadata"]["uid"]
                )
        if decision.create_pod:
            await self._cluster.create(self._pod(job), field_manager=_FIELD_MANAGER)

    def _pod(self, job: Json) -> Json:
        template, metadata = job["spec"]["template"], job["metadata"]
        suffix = "".join(self._random.choices(_SUFFIX, k=5))
        labels = {CONTROLLER_UID: metadata["uid"], JOB_NAME: metadata["name"]}
        owner = {
            "apiVersion": job["apiVersion"],
            "kind": job["kind"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
        return {
            "apiVersion": POD.api_version,
            "kind": POD.kind,
            "metadata": {
                "name": f"{metadata['name']}-{suffix}",
                "namespace": metadata["namespace"],
                "labels": template.get("metadata", {}).get("labels", {}) | labels,
                "annotations": template.get("metadata", {}).get("annotations", {}),
                "ownerReferences": [owner],
            },
            "spec": template["spec"] | {"nodeName": self._name},
        }

    def _await_deadline(self, job: Json, decision: Decision, tasks: asyncio.TaskGroup) -> None:
        """Look at a Job again when its deadline has come, if nothing else brings us to it."""
        metadata = job["metadata"]
        self._forget_deadline(job)
        if decision.look_again is not None:
            later = self._sync_later(decision.look_again, metadata["namespace"], metadata["name"], tasks)
            self._deadlines[metadata["uid"]] = tasks.create_task(later)

    def _forget_deadline(self, job: Json) -> None:
        if waiting := self._deadlines.pop(job["metadata"]["uid"], None):
            waiting.cancel()

    async def _sync_later(self, seconds: float, namespace: str, name: str, tasks: asyncio.TaskGroup) -> None:
        await asyncio.sleep(seconds)
        tasks.create_task(self._sync(namespace, name, tasks))
