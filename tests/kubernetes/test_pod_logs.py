"""A log that is followed over broken connections: no line is lost, and none is told twice."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from fedka.kubernetes.lines import LONGEST_LINE
from fedka.kubernetes.pod_logs import PodLogs
from fedka.reconcile.ports import ClusterUnavailable, Invalid, NotFound

from .servers import answering

CUT = "cut"  # the connection breaks here
ENDS = "ends"  # and here it is ended in order, although the pod goes on
WHOLE_SECONDS = len("2026-01-01T00:00:00")


@dataclass
class Kubelet:
    """Writes a log with `stamps`, and ends connections where `breaks` says, each given by the bytes sent before."""

    lines: Sequence[tuple[str, str]]
    breaks: list[tuple[int, str]] = field(default_factory=list)
    unfinished: str = ""
    sidecar: bool = False
    gone: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.gone:
            return web.json_response({"kind": "Status", "message": "no such pod"}, status=404)
        if not request.path.endswith("/log"):
            return web.json_response(self._pod())
        self.asked.append(dict(request.query))
        given = self._given(request.query)
        response = web.StreamResponse()
        await response.prepare(request)
        if not self.breaks:
            await response.write(given)
            return response
        length, how = self.breaks.pop(0)
        await response.write(given[:length])
        if how == CUT:
            assert request.transport is not None
            request.transport.close()
        return response

    def _given(self, query) -> bytes:
        """What a kubelet gives: it counts in whole seconds."""
        since = query.get("sinceTime", "")[:WHOLE_SECONDS]
        lines = [f"{stamp} {text}\n" for stamp, text in self.lines if stamp[:WHOLE_SECONDS] >= since]
        lines = lines[-int(query["tailLines"]) :] if "tailLines" in query else lines
        return "".join([*lines, self.unfinished]).encode()

    def _pod(self):
        """Running until the last connection has been broken."""
        state = {"running": {}} if self.breaks else {"terminated": {"exitCode": 0}}
        phase = "Running" if self.breaks or self.sidecar else "Succeeded"
        statuses = [{"name": "participant", "state": state}]
        labels = {"fedka.dev/role": "participant"}
        return {"metadata": {"name": "p", "labels": labels}, "status": {"phase": phase, "containerStatuses": statuses}}


def stamped(count: int, *, each_second: int = 4) -> list[tuple[str, str]]:
    return [
        (f"2026-01-01T00:00:{index // each_second:02}.{index % each_second:09}Z", f"line {index}")
        for index in range(count)
    ]


async def followed(kubelet: Kubelet, *, follow: bool = True, tail: int | None = None) -> list[str]:
    async with asyncio.timeout(60), answering(kubelet.answer) as api:
        lines = PodLogs(api, again_seconds=0.001).lines("a", "p", follow=follow, tail=tail)
        async with contextlib.aclosing(lines) as told:
            return [line async for line in told]


@pytest.mark.parametrize("how", [CUT, ENDS])
async def test_a_log_goes_on_wherever_its_connection_ends(how):
    lines = stamped(12)
    size = sum(len(f"{stamp} {text}\n") for stamp, text in lines)
    for length in range(0, size, 29):
        kubelet = Kubelet(lines, [(length, how), (length // 2, how)])
        assert await followed(kubelet) == [text for _, text in lines]
        assert len(kubelet.asked) > 2


async def test_lines_of_one_moment_are_all_told():
    same = [("2026-01-01T00:00:00.000000001Z", f"line {number}") for number in range(4)]
    cut = 2 * len(f"{same[0][0]} {same[0][1]}\n")
    assert await followed(Kubelet(same, [(cut, CUT)])) == ["line 0", "line 1", "line 2", "line 3"]


async def test_a_line_that_another_has_overtaken_is_told_once():
    lines = [("2026-01-01T00:00:01.000000001Z", "out"), ("2026-01-01T00:00:00.999999999Z", "error")]
    sent = len(f"{lines[0][0]} {lines[0][1]}\n")
    before = [("2026-01-01T00:00:00.500000000Z", "before")]
    for length in (len(f"{before[0][0]} before\n") + sent, 1000):
        assert await followed(Kubelet(before + lines, [(length, CUT)])) == ["before", "out", "error"]


async def test_the_last_lines_stay_the_last_ones_where_nothing_was_told_yet():
    assert await followed(Kubelet(stamped(9), [(3, CUT)]), tail=2) == ["line 7", "line 8"]


async def test_what_was_told_is_not_counted_to_the_last_lines_again():
    kubelet = Kubelet(stamped(9), [(1000, CUT)])
    assert await followed(kubelet, tail=2) == ["line 7", "line 8"]
    assert kubelet.asked[-1]["sinceTime"] == "2026-01-01T00:00:01Z"


async def test_a_last_line_without_an_end_is_told_once_the_pod_is_over():
    kubelet = Kubelet(stamped(1), [(1000, ENDS)], unfinished="2026-01-01T00:00:09.000000000Z Killed")
    assert await followed(kubelet) == ["line 0", "Killed"]


async def test_a_log_ends_with_its_container_whatever_else_runs_in_the_pod():
    kubelet = Kubelet(stamped(2), sidecar=True)
    assert await followed(kubelet) == ["line 0", "line 1"]
    assert {asked["container"] for asked in kubelet.asked} == {"participant"}


async def test_a_line_may_be_long():
    long = "x" * 1_000_000
    assert await followed(Kubelet([("2026-01-01T00:00:00.000000000Z", long)])) == [long]


async def test_a_line_that_is_too_long_is_cut_and_said_to_be():
    endless = ("2026-01-01T00:00:00.000000000Z", "x" * (LONGEST_LINE + 1))
    first, second = await followed(Kubelet([endless, ("2026-01-01T00:00:00.000000001Z", "next")]))
    assert len(first) < LONGEST_LINE + 100
    assert first.endswith("xxx [the rest is left out: a line of more than 16 MiB]")
    assert second == "next"


async def test_who_does_not_follow_is_told_of_a_cut():
    with pytest.raises(ClusterUnavailable):
        await followed(Kubelet(stamped(4), [(70, CUT)]), follow=False)


async def test_a_pod_that_has_gone_while_its_log_was_cut_is_said_to_have():
    kubelet = Kubelet(stamped(4), [(70, CUT)])

    async def answer(request: web.Request) -> web.StreamResponse:
        kubelet.gone = bool(kubelet.asked)
        return await kubelet.answer(request)

    told: list[str] = []
    async with asyncio.timeout(60), answering(answer) as api:
        with pytest.raises(NotFound):
            await gather(PodLogs(api, again_seconds=0.001).lines("a", "p", follow=True), told)
    assert told == ["line 0"]


async def gather(lines: AsyncGenerator[str, None], told: list[str]) -> None:
    async for line in lines:
        told.append(line)  # noqa: PERF401  what came before an error is wanted as well


async def test_a_container_that_has_not_started_is_refused():
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/log"):
            return web.json_response({"kind": "Status", "message": "is waiting to start"}, status=400)
        return web.json_response({"metadata": {"name": "p"}})

    async with answering(answer) as api:
        with pytest.raises(Invalid, match="waiting to start"):
            await anext(PodLogs(api).lines("a", "p", follow=True))
