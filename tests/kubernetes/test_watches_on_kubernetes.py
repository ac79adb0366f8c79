"""Watches of all namespaces on a real API server: what they are not to hear of, and that they log in again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fedka.kubernetes.api import Api
from fedka.kubernetes.login import find_login
from fedka.kubernetes.watches import Watches
from fedka.plan.names import LABEL_UID
from fedka.reconcile.ports import WatchEvent
from fedka.reconcile.reach import EVERYWHERE, Reach

from ..cluster.api_server import ApiServer, KubectlFailed
from ..cluster.waiting import wait_until
from .operators import GENEROUS_SECONDS, training
from .relay import through_relay
from .rights import ACCOUNT, account, cluster_role, namespace_rules

pytestmark = pytest.mark.kubernetes
POD = {"containers": [{"name": "one", "image": "registry.example/one:1"}], "restartPolicy": "Never"}


class Heard:
    """What is told of one namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._news = asyncio.Event()
        self.names: set[tuple[str, str]] = set()
        self.logins = 0

    def note(self, event: WatchEvent) -> None:
        metadata = event.object["metadata"]
        if metadata.get("namespace") == self._namespace:
            self.names.add((event.kind.kind, metadata["name"]))
            self._news.set()

    async def until(self, holds: Callable[[set[tuple[str, str]]], bool]) -> None:
        async with asyncio.timeout(GENEROUS_SECONDS):
            while not holds(self.names):
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def listening(kubeconfig: Path, namespace: str) -> AsyncIterator[Heard]:
    heard, login = Heard(namespace), find_login(kubeconfig=str(kubeconfig))

    async def counted() -> Any:
        heard.logins += 1
        return await login()

    api = Api(counted)
    running = asyncio.create_task(Watches(api, heard.note, Reach([EVERYWHERE])).run())
    try:
        yield heard
    finally:
        running.cancel()
        await asyncio.wait({running})
        await api.close()
    assert running.cancelled()  # and has not ended by an error


@pytest.fixture
def namespace(api_server: ApiServer) -> str:
    return api_server.fresh_namespace("watches")


def job_and_pod(namespace: str, name: str, labels: dict[str, str]) -> list[dict[str, Any]]:
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    spec = {"suspend": True, "template": {"spec": POD}}
    return [
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": POD},
    ]


async def test_jobs_and_pods_without_our_label_are_not_heard_of(api_server: ApiServer, namespace: str):
    """Neither those that were there before nor those that come, each kind in the order of its versions."""
    ours = {LABEL_UID: "1a2b"}

    async def make(moment: str) -> None:
        for name, labels in ((f"theirs-{moment}", {"app": "other"}), (f"ours-{moment}", ours)):
            await asyncio.to_thread(api_server.apply, *job_and_pod(namespace, name, labels))

    await make("before")
    async with listening(api_server.kubeconfig, namespace) as heard:
        await heard.until(lambda names: {("Job", "ours-before"), ("Pod", "ours-before")} <= names)
        for moment in ("later", "last"):
            await make(moment)
        await heard.until(lambda names: {("Job", "ours-last"), ("Pod", "ours-last")} <= names)
    assert {name for _, name in heard.names} == {"ours-before", "ours-later", "ours-last"}


@pytest.fixture
def kubeconfig(api_server: ApiServer, namespace: str) -> Iterator[Path]:
    """Of an account with the operator's rights in all namespaces."""
    api_server.apply(account(namespace), *cluster_role(namespace, namespace_rules(), of=namespace))
    yield api_server.kubeconfig_for(ACCOUNT, namespace)
    api_server.kubectl("delete", "clusterrole,clusterrolebinding", namespace)


async def test_a_token_that_was_replaced_is_read_anew_when_the_old_one_is_refused(
    api_server: ApiServer, namespace: str, kubeconfig: Path, tmp_path: Path
):
    def apply(name: str) -> None:
        api_server.apply(training(suspend=True) | {"metadata": {"name": name, "namespace": namespace}})

    def is_refused(old: Path) -> bool:
        try:
            api_server.kubectl("get", "ft", f"--namespace={namespace}", kubeconfig=old)
        except KubectlFailed as error:
            return "Unauthorized" in str(error) or "logged in" in str(error)
        return False

    def replace() -> None:
        """The account is made anew, which ends its tokens; those that were accepted are so for some seconds more."""
        old = tmp_path / "old.kubeconfig"
        old.write_text(kubeconfig.read_text())
        port = f"https://127.0.0.1:{relay.port}"
        api_server.kubectl("delete", f"serviceaccount/{ACCOUNT}", f"--namespace={namespace}")
        api_server.apply(account(namespace))
        fresh = api_server.kubeconfig_for(ACCOUNT, namespace)
        fresh.write_text(fresh.read_text().replace(api_server.url, port))
        assert wait_until(lambda: is_refused(old), GENEROUS_SECONDS)

    with through_relay(kubeconfig) as relay:
        async with listening(kubeconfig, namespace) as heard:
            await asyncio.to_thread(apply, "before")
            await heard.until(lambda names: ("FederatedTraining", "before") in names)
            before = heard.logins
            await asyncio.to_thread(replace)
            relay.cut()
            await asyncio.to_thread(apply, "after")
            await heard.until(lambda names: ("FederatedTraining", "after") in names)
            assert heard.logins > before
