"""What the kubelet is answered."""

import aiohttp
import pytest

from fedka.kubernetes.endpoints import endpoints


@pytest.mark.parametrize(
    ("path", "alive", "ready", "status", "said"),
    [
        ("healthz", True, False, 200, "ok: watching"),
        ("healthz", False, True, 503, "no: watching"),
        ("readyz", True, True, 200, "ok: known"),
        ("readyz", True, False, 503, "no: known"),
    ],
)
async def test_probes_say_what_holds_and_what_does_not(path, alive, ready, status, said):
    checks = {"alive": [("watching", lambda: alive)], "ready": [("known", lambda: ready)]}
    async with (
        endpoints(0, **checks, metrics=lambda: b"") as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/{path}") as answer,
    ):
        assert answer.status == status
        assert said in await answer.text()


async def test_metrics_are_served_as_they_are():
    async with (
        endpoints(0, alive=(), ready=(), metrics=lambda: b"fedka_leader 1.0\n") as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        assert answer.status == 200
        assert await answer.text() == "fedka_leader 1.0\n"


async def test_a_port_that_is_taken_is_an_error():
    async with endpoints(0, alive=(), ready=(), metrics=lambda: b"") as port:
        with pytest.raises(OSError, match="address already in use"):
            async with endpoints(port, alive=(), ready=(), metrics=lambda: b""):
                pass
