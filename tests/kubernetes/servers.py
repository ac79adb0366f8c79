"""A small HTTP server in place of an API server, for what a real one does not do when asked to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from kubernetes.aio.client import Configuration

from fedka.kubernetes.api import Api

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Logins:
    """Each login gives the next token."""

    url: str = ""
    tokens: list[str] = field(default_factory=lambda: ["token-1"])
    times: int = 0

    async def __call__(self) -> Configuration:
        configuration = Configuration(host=self.url)
        configuration.api_key["BearerToken"] = f"Bearer {self.tokens[min(self.times, len(self.tokens) - 1)]}"
        self.times += 1
        return configuration


@asynccontextmanager
async def answering(answer: Answer, logins: Logins | None = None) -> AsyncIterator[Api]:
    """An `Api` whose every request is answered by `answer`."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    logins = logins or Logins()
    logins.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    api = Api(logins)
    try:
        yield api
    finally:
        await api.close()
        await runner.cleanup()
