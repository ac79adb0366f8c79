"""Logging in by a kubeconfig whose user names a program: what it gives is used; where that is nothing, it has a say."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedka.kubernetes.login import Login, NoClusterAccess, NoCredentials, find_login

API_VERSION = "client.authentication.k8s.io/v1"
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def kubeconfig(home: Path, user: dict[str, Any], server: str = "https://cluster.example") -> Path:
    path = home / "kubeconfig"
    document = {
        "clusters": [{"name": "one", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": user}, {"name": "other", "user": {"exec": {"command": "/no/such/program"}}}],
        "contexts": [
            {"name": "mine", "context": {"cluster": "one", "user": "me"}},
            {"name": "theirs", "context": {"cluster": "one", "user": "other"}},
        ],
        "current-context": "mine",
    }
    path.write_text(yaml.safe_dump(document))
    return path


def program(code: str, **more: Any) -> dict[str, Any]:
    """A user whose credentials this Python program prints."""
    return {"exec": {"apiVersion": API_VERSION, "command": sys.executable, "args": ["-Sc", code], **more}}


def printing(status: Any, version: str = API_VERSION) -> str:
    return f"print({json.dumps({'apiVersion': version, 'kind': 'ExecCredential', 'status': status})!r})"


def login(home: Path, user: dict[str, Any]) -> Login:
    return find_login(kubeconfig=str(kubeconfig(home, user)))


async def test_the_token_that_a_program_gives_is_used(tmp_path: Path):
    asked = "import json, os; info = json.loads(os.environ['KUBERNETES_EXEC_INFO']); assert os.environ['WHO'] == 'me'; "
    checked = f"assert info['apiVersion'] == {API_VERSION!r}; "
    code = asked + checked + printing({"token": "secret"})
    found = await login(tmp_path, program(code, env=[{"name": "WHO", "value": "me"}], interactiveMode="Never"))()
    assert await found.get_api_key_with_prefix("BearerToken") == "Bearer secret"


def content(path: str) -> str:
    return Path(path).read_text()


async def test_so_are_a_certificate_and_its_key(tmp_path: Path):
    given = {"clientCertificateData": PEM, "clientKeyData": "key"}
    found = await login(tmp_path, program(printing(given)))()
    assert [content(found.cert_file), content(found.key_file)] == [PEM, "key"]


async def test_a_program_of_another_user_is_not_run(tmp_path: Path):
    found = await login(tmp_path, {"token": "mine"})()
    assert await found.get_api_key_with_prefix("BearerToken") == "Bearer mine"


@pytest.mark.parametrize(
    ("user", "message"),
    [
        (
            program(
                "import sys; sys.exit('opening a browser\\nthe session has run out: log in with \\x1b[1mcloud\\n')"
            ),
            "which the kubeconfig names, has ended with code 1: the session has run out: log in with �[1mcloud",
        ),
        (program("raise SystemExit(3)"), "has ended with code 3, without a word"),
        (program("print('Bearer hunter2')"), f"has printed no ExecCredential of {API_VERSION}"),
        (program(printing({"token": "hunter2"}, version="v1beta1")), f"has printed no ExecCredential of {API_VERSION}"),
        (
            program(printing({"clientCertificateData": "hunter2"})),
            "gives neither a token nor a certificate with its key",
        ),
        (
            {"exec": {"apiVersion": API_VERSION, "command": "/no/such/get-token", "installHint": "get it from us"}},
            "get-token, which the kubeconfig names, cannot be started: No such file or directory (get it from us)",
        ),
        ({"exec": {"apiVersion": API_VERSION}}, "the kubeconfig's exec.command: Field required"),
        ({"exec": None}, "the kubeconfig's exec: "),
    ],
)
async def test_what_a_program_says_that_gives_nothing_is_told(tmp_path: Path, user: dict[str, Any], message: str):
    with pytest.raises(NoCredentials) as refused:
        await login(tmp_path, user)()
    assert message in str(refused.value)
    assert "hunter2" not in str(refused.value)


async def test_a_program_ends_with_who_waits_for_it(tmp_path: Path):
    pid = tmp_path / "pid"
    os.mkfifo(pid)
    code = f"import os, signal; open({str(pid)!r}, 'w').write(str(os.getpid())); signal.pause()"
    waiting = asyncio.create_task(login(tmp_path, program(code))())
    began = int(await asyncio.to_thread(pid.read_text))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(ProcessLookupError):
        os.kill(began, 0)


async def test_a_token_with_a_line_break_is_told(tmp_path: Path):
    with pytest.raises(NoClusterAccess, match="the token has a line break in it"):
        await login(tmp_path, {"token": "broken\ntoken"})()
