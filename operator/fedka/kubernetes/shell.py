"""Kopf as the shell that watches all namespaces: its handlers only hand events over to the operator.

No create or update handlers, timers, daemons or indices: they write annotations and finalizers into users' resources,
act on edges that a restart loses, and grow faster than the number of objects.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import kopf

from fedka.kubernetes.login import Login, NoClusterAccess
from fedka.kubernetes.sessions import Sessions
from fedka.kubernetes.storages import NoDiffBase, NoProgress
from fedka.plan.names import LABEL_UID
from fedka.reconcile.cache import WATCHED
from fedka.reconcile.ports import JOB, POD, EventType, Kind, WatchEvent

SELECTORS = {JOB: LABEL_UID, POD: LABEL_UID}
"""What of a kind is watched: the server keeps all other Jobs and pods of the cluster to itself."""

Observe = Callable[[WatchEvent], None]


class Shell:
    """Watches what the operator needs to know, in all namespaces."""

    def __init__(self, login: Login, observe: Observe) -> None:
        self._sessions = Sessions(login)
        self._registry = _registry(self._sessions, observe)
        self._stop = asyncio.Event()
        self._ended = False

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return not self._ended

    async def run(self, started: Callable[[], None]) -> None:
        """Until `stop`, or an error that watching cannot go on from. `started` is called once Kopf has set its own
        signal handlers, so that the caller's can replace them.

        All tasks that were made while it ran are gone afterwards, the caller's as well: end those first.
        """
        others = asyncio.all_tasks()
        try:
            tasks = await kopf.spawn_tasks(
                registry=self._registry,
                settings=_settings(),
                standalone=True,
                clusterwide=True,
                stop_flag=self._stop,
            )
            started()
            await kopf.run_tasks(tasks, ignored=others)
        finally:
            self._ended = True
            await self._sessions.close()

    def stop(self) -> None:
        """Let `run` end."""
        self._stop.set()


def _registry(sessions: Sessions, observe: Observe) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    async def log_in(**_: Any) -> kopf.AiohttpSession:
        try:
            return await sessions.open()
        except NoClusterAccess as error:
            raise kopf.TemporaryError(str(error), delay=5) from error

    kopf.on.login(registry=registry)(log_in)
    for kind in WATCHED:
        group, _, version = kind.api_version.rpartition("/")
        kopf.on.event(group, version, kind.plural, id=f"observe-{kind.plural}", registry=registry)(
            _handler(kind, observe)
        )
    return registry


def _handler(kind: Kind, observe: Observe) -> Callable[..., Any]:
    async def told(event: Any, **_: Any) -> None:
        type_ = EventType(event["type"]) if event["type"] else EventType.ADDED  # None: it was there before the watch
        observe(WatchEvent(type_, kind, event["object"]))

    return told


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True  # no watch of namespaces and CRDs: rights that the operator need not have
    settings.posting.enabled = False  # events are the plan's, not Kopf's
    settings.networking.request_timeout = 30.0  # five minutes of silence would pass for an idle cluster
    settings.networking.connect_timeout = 10.0  # the same
    settings.watching.chunk_size = 100  # objects a page: 2000 at once cost 90 MiB more
    settings.watching.server_timeout = 290  # below the five minutes for which a server remembers versions
    settings.queueing.idle_timeout = 0.05  # a task and a copy of each object that was heard of, no longer than needed
    settings.queueing.exit_timeout = 0.5  # handlers only fill the cache, which nobody reads any more
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
    settings.process.ultimate_exiting_timeout = None  # the kubelet ends what does not end
    for kind, selector in SELECTORS.items():
        group, _, version = kind.api_version.rpartition("/")
        settings.watching.label_selectors[group, version, kind.plural] = selector
    return settings
