"""What the kubelet and Prometheus ask of the operator: is it alive, may it be sent on its way, what has it done."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Check = tuple[str, Callable[[], bool]]
"""What is asked, and whether it is so."""


@asynccontextmanager
async def endpoints(
    port: int, *, alive: Sequence[Check], ready: Sequence[Check], metrics: Callable[[], bytes]
) -> AsyncIterator[int]:
    """Serve /healthz, /readyz and /metrics on all addresses while the body runs; the port (0 lets the system choose).

    An answer to /healthz also shows that the event loop turns. Raises OSError where the port is taken.
    """

    async def show(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": "text/plain; version=1.0.0; charset=utf-8"})

    app = web.Application()
    app.router.add_get("/healthz", _judge(alive))
    app.router.add_get("/readyz", _judge(ready))
    app.router.add_get("/metrics", show)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, port=port)
        await site.start()
        yield _port_of(runner.addresses)
    finally:
        await runner.cleanup()


def _judge(checks: Sequence[Check]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        lines = [(name, holds()) for name, holds in checks]
        text = "".join(f"{'ok' if holds else 'no'}: {name}\n" for name, holds in lines)
        return web.Response(text=text, status=200 if all(holds for _, holds in lines) else 503)

    return answer


def _port_of(addresses: Sequence[Any]) -> int:
    """Of IPv4, where it is served: a port that the system chooses is another for each family."""
    family = [address for address in addresses if len(address) == len(("host", "port"))] or addresses
    return int(family[0][1])
