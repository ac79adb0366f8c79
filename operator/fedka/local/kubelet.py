"""Runs pods as processes of this machine, and says in their status what became of them."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from fedka.local import pod_status
from fedka.local.cluster import InMemoryCluster
from fedka.local.objects import Json, controller_of
from fedka.local.pod_process import PodProcess, command_of
from fedka.local.pod_volumes import UnsupportedPod, container_of, mount, secrets_of, unmount
from fedka.reconcile.ports import POD, SECRET, Conflict, NotFound

_FIELD_MANAGER = "kubelet"


@dataclass(frozen=True, slots=True)
class Machine:
    """Where pods run and what they find there."""

    state_dir: Path
    """Bundles (`pods/`) and logs (`logs/`) are kept below it."""
    image_dir: Path
    """The directory that stands for the image: what pods are started in."""
    environment: Mapping[str, str]
    """What every process inherits, as from a real machine: PATH, HOME, ..."""
    stop_seconds: float = 10.0
    """The longest grace any pod gets when the node itself ends."""


@dataclass(slots=True)
class _Run:
    """A pod that this kubelet is in charge of."""

    pod: Json
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return str(self.pod["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.pod["metadata"]["namespace"])

    @property
    def grace_seconds(self) -> float:
        return float(self.pod["spec"]["terminationGracePeriodSeconds"])


class Kubelet:
    """One task per pod, all in the task group given; ending that group ends every process, within bounds."""

    def __init__(
        self, cluster: InMemoryCluster, machine: Machine, *, tasks: asyncio.TaskGroup, clock: Callable[[], datetime]
    ) -> None:
        self._cluster = cluster
        self._machine = machine
        self._tasks = tasks
        self._clock = clock
        self._runs: dict[str, _Run] = {}
        self._secret_changed = asyncio.Event()

    def secret_changed(self) -> None:
        """Pods that wait for a Secret look again."""
        self._secret_changed.set()
        self._secret_changed = asyncio.Event()

    def pod_changed(self, pod: Json) -> None:
        """Start a pod seen for the first time; stop one that is under deletion."""
        metadata = pod["metadata"]
        run = self._runs.get(metadata["uid"])
        if run is None and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            run = self._runs[metadata["uid"]] = _Run(pod)
            self._tasks.create_task(self._run(run), name=f"pod {metadata['name']}")
        if run is not None and "deletionTimestamp" in metadata:
            run.stop.set()

    def pod_deleted(self, pod: Json) -> None:
        """Stop a pod whose object has gone, if it runs."""
        if run := self._runs.get(pod["metadata"]["uid"]):
            run.stop.set()

    async def _run(self, run: _Run) -> None:
        directory = self._machine.state_dir / "pods" / run.name
        try:
            secrets = await self._secrets(run)
            if secrets is not None:
                await self._run_process(run, secrets, directory)
        except UnsupportedPod as error:
            await self._write(run, pod_status.refused("UnsupportedPod", str(error)))
        finally:
            unmount(directory)
            del self._runs[run.pod["metadata"]["uid"]]
        if run.stop.is_set():
            with contextlib.suppress(NotFound):  # its namespace may have gone with it
                await self._cluster.raw_delete(POD, run.namespace, run.name, grace_seconds=0)

    async def _secrets(self, run: _Run) -> dict[str, Json] | None:
        """The pod's Secrets, waited for as a kubelet does; None if the pod is stopped before."""
        container = container_of(run.pod)["name"]
        while not run.stop.is_set():
            changed = self._secret_changed
            found: dict[str, Json] = {}
            try:
                for name in secrets_of(run.pod):
                    found[name] = await self._cluster.get(SECRET, run.namespace, name)
            except NotFound as error:
                await self._write(run, pod_status.waiting(container, "ContainerCreating", str(error)))
                await _first(changed, run.stop)
            else:
                return found
        return None

    async def _run_process(self, run: _Run, secrets: Mapping[str, Json], directory: Path) -> None:
        mounts = mount(run.pod, directory, secrets.__getitem__)
        command = command_of(run.pod, mounts, self._machine.environment)
        container, started = container_of(run.pod), self._clock()
        owner = controller_of(run.pod)
        process = await PodProcess.start(
            command,
            directory=self._machine.image_dir,
            log=self._machine.state_dir / "logs" / f"{owner['name'] if owner else run.name}.log",
            header=f"{started.isoformat(timespec='milliseconds')} {run.name}: {' '.join(command.argv)}",
        )
        try:
            await self._write(run, pod_status.running(container["name"], started))
            code = await self._ended(process, run)
        finally:
            process.kill()
        wanted = code != 0 and container.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        message = process.last_words() if wanted else ""
        status = pod_status.ended(container["name"], code, message, started=started, finished=self._clock())
        await self._write(run, status)

    async def _ended(self, process: PodProcess, run: _Run) -> int:
        """The process's exit code, after it ended by itself or was stopped with its pod, or with the node."""
        ending, stopping = asyncio.ensure_future(process.wait()), asyncio.ensure_future(run.stop.wait())
        try:
            await asyncio.wait((ending, stopping), return_when=asyncio.FIRST_COMPLETED)
            return await (ending if ending.done() else process.stop(run.grace_seconds))
        except asyncio.CancelledError:
            await process.stop(min(run.grace_seconds, self._machine.stop_seconds))
            raise
        finally:
            ending.cancel()
            stopping.cancel()

    async def _write(self, run: _Run, status: Json) -> None:
        """Write the pod's status over whatever version is live; nothing to say about a pod that has gone."""
        while True:
            try:
                live = await self._cluster.get(POD, run.namespace, run.name)
                if live["metadata"]["uid"] == run.pod["metadata"]["uid"]:
                    await self._cluster.apply_status(live | {"status": status}, field_manager=_FIELD_MANAGER)
            except Conflict:
                continue
            except NotFound:
                return
            return


async def _first(*events: asyncio.Event) -> None:
    """Wait for the first of these events."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
