"""Places that are watched one by one: what is refused in one of them is asked for again, and concerns no other."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from fedka.kubernetes.answers import Unauthorized
from fedka.kubernetes.watches import Watches
from fedka.reconcile.ports import POD, ClusterError, Forbidden, NotFound, WatchEvent
from fedka.reconcile.reach import EVERYWHERE, Reach

A, B = "hospitals", "banks"
GENEROUS_SECONDS = 60


def pod(name: str, namespace: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": "1"}
    return {"metadata": metadata, "status": {"phase": "Running"}}


@dataclass
class ApiWithRights:
    """Lists the pods of a place, unless that is refused. Its watches tell nothing, and end when they are cut."""

    pods: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refused: dict[str, ClusterError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    cut: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, _method: str, path: str, *, query: Mapping[str, str], **_: Any) -> dict[str, Any]:
        namespace = self._asked(path)
        assert query["limit"]
        items = self.pods.get(namespace, []) if path.endswith("/pods") else []
        return {"metadata": {"resourceVersion": "1"}, "items": items}

    async def lines(self, path: str, *, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        self._asked(path)
        assert query["watch"]
        await self.cut.wait()
        return
        yield b""

    def _asked(self, path: str) -> str:
        self.asked.append(path)
        namespace = path.split("/namespaces/")[1].split("/", maxsplit=1)[0] if "/namespaces/" in path else EVERYWHERE
        if namespace in self.refused:
            raise self.refused[namespace]
        return namespace


class World:
    """A watch of these places. Its breaks last until `let_on`; once `hurried`, there are none."""

    def __init__(self, *places: str) -> None:
        self.api, self.reach = ApiWithRights(), Reach(places)
        self.told: list[tuple[str, str]] = []
        self.breaks: list[float] = []
        self.changed, self.on, self.hurried = asyncio.Event(), asyncio.Event(), False
        self.reach.listen(lambda _namespace: self.changed.set())
        self.watch = Watches(self.api, self._observe, self.reach, selectors={}, sleep=self._sleep)  # type: ignore[arg-type]

    def _observe(self, event: WatchEvent) -> None:
        self.told.append((str(event.type), event.object["metadata"]["name"]))
        self.changed.set()

    async def _sleep(self, seconds: float) -> None:
        on = self.on
        self.breaks.append(seconds)
        self.changed.set()
        await asyncio.sleep(0)
        if not self.hurried:
            await on.wait()

    def let_on(self) -> None:
        self.on.set()
        self.on = asyncio.Event()

    def hurry(self) -> None:
        self.hurried = True
        self.let_on()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(GENEROUS_SECONDS):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    async def until_breaks(self, count: int) -> None:
        """So many have begun."""
        await self.until(lambda: len(self.breaks) >= count)


@asynccontextmanager
async def running(world: World) -> AsyncIterator[None]:
    watching = asyncio.create_task(world.watch.run())
    try:
        yield
        assert world.watch.alive
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert not world.watch.alive


@pytest.fixture
def world() -> World:
    """Of two namespaces."""
    return World(A, B)


@pytest.mark.parametrize("refusal", [Forbidden("pods is forbidden"), NotFound("there is no such thing")])
async def test_a_namespace_that_does_not_let_it_in_is_told_once_and_concerns_no_other(
    world: World, caplog: pytest.LogCaptureFixture, refusal: ClusterError
):
    world.api.pods = {A: [pod("one", A)], B: [pod("two", B)]}
    world.api.refused = {A: refusal}
    caplog.set_level(logging.INFO, "fedka.kubernetes")
    async with running(world):
        await world.until_breaks(3)  # of the three kinds
        assert world.told == [("ADDED", "two")]
        assert [world.reach.covers(A), world.reach.covers(B)] == [False, True]
        world.let_on()
        await world.until_breaks(6)
        assert caplog.text.count(f"namespace {A} is left alone") == 1
        assert str(refusal) in caplog.text
        world.api.refused = {}
        world.let_on()
        await world.until(lambda: world.reach.covers(A))
        assert world.told == [("ADDED", "two"), ("ADDED", "one")]
        assert caplog.text.count(f"namespace {A} is watched now") == 1


async def test_who_is_let_in_nowhere_leaves_everything_alone_and_asks_again(caplog: pytest.LogCaptureFixture):
    world = World(EVERYWHERE)
    world.api.pods = {EVERYWHERE: [pod("one", A), pod("two", B)]}
    world.api.refused = {EVERYWHERE: Forbidden("pods is forbidden")}
    caplog.set_level(logging.INFO, "fedka.kubernetes")
    async with running(world):
        await world.until_breaks(3)
        assert not world.reach.covers(A)
        assert caplog.text.count("all trainings are left alone until") == 1
        assert "pods is forbidden" in caplog.text
        world.api.refused = {}
        world.let_on()
        await world.until(lambda: world.reach.covers(A))
        assert world.told == [("ADDED", "one"), ("ADDED", "two")]
        assert world.reach.covers(B)
        assert caplog.text.count("everything is watched now") == 1


async def test_what_is_refused_is_asked_for_ever_more_rarely_up_to_a_bound(world: World):
    world.api.refused = {A: Forbidden("no"), B: Forbidden("no")}
    async with running(world):
        for count in range(1, 8):
            await world.until_breaks(6 * count)
            world.let_on()
        assert world.breaks[::6][:7] == [1, 2, 4, 8, 16, 30, 30]


async def test_what_has_gone_while_a_namespace_was_out_of_reach_is_told_as_deleted(world: World):
    world.api.pods = {A: [pod("one", A), pod("two", A)]}
    async with running(world):
        await world.until(lambda: world.reach.covers(A) and world.reach.covers(B))
        world.api.refused = {A: Forbidden("the Role has gone")}
        world.api.cut.set()
        world.api.cut = asyncio.Event()
        await world.until_breaks(3)
        assert not world.reach.covers(A, POD)
        assert world.told == [("ADDED", "one"), ("ADDED", "two")]
        world.api.refused, world.api.pods = {}, {A: [pod("two", A)]}
        world.hurry()
        await world.until(lambda: world.reach.covers(A))
        assert world.told[2:] == [("DELETED", "one")]


async def test_a_login_that_is_refused_for_a_while_ends_nothing(world: World, caplog: pytest.LogCaptureFixture):
    """A token that is replaced may be refused, the old one already and the new one yet."""
    world.api.refused = {A: Unauthorized("the credentials have run out")}
    world.api.pods = {A: [pod("one", A)]}
    async with running(world):
        await world.until_breaks(3)
        assert "pods are not watched: the credentials have run out" in caplog.text
        world.api.refused = {}
        world.let_on()
        await world.until(lambda: world.reach.covers(A))
        assert world.told == [("ADDED", "one")]


async def test_what_asking_again_does_not_mend_ends_it(world: World):
    world.api.refused = {A: ClusterError("no API server answers like this")}
    with pytest.raises(ClusterError, match="like this"):
        await asyncio.wait_for(world.watch.run(), GENEROUS_SECONDS)
    assert not world.watch.alive
