"""A kubeconfig that names a program to get a token from, as those of cloud providers do."""

import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from fedka.kubernetes.answers import Unauthorized
from fedka.kubernetes.api import Api, path_of
from fedka.kubernetes.login import find_login
from fedka.reconcile.ports import SECRET

from ..cluster.api_server import ApiServer

pytestmark = pytest.mark.kubernetes
API_VERSION = "client.authentication.k8s.io/v1"
PROGRAM = """#!{python}
import json, pathlib
tokens = pathlib.Path({tokens!r})
first, *later = tokens.read_text().splitlines()
if later:
    tokens.write_text("\\n".join(later))
status = {{"token": first, "expirationTimestamp": {expires!r}}}
print(json.dumps({{"apiVersion": {version!r}, "kind": "ExecCredential", "status": status}}))
"""


class Plugin:
    """Gives one of `tokens` after the other, the last one again and again."""

    def __init__(self, server: ApiServer, home: Path, *tokens: str) -> None:
        self._tokens = home / "tokens"
        self._tokens.write_text("\n".join(tokens))
        program = home / "get-token"
        expires = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        program.write_text(
            PROGRAM.format(python=sys.executable, tokens=str(self._tokens), expires=expires, version=API_VERSION)
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        document = yaml.safe_load(server.kubeconfig.read_text())
        asked = {"apiVersion": API_VERSION, "command": str(program), "interactiveMode": "Never"}
        document["users"] = [{"name": each["name"], "user": {"exec": asked}} for each in document["users"]]
        self.kubeconfig = home / "kubeconfig"
        self.kubeconfig.write_text(yaml.safe_dump(document))

    @property
    def left(self) -> list[str]:
        return self._tokens.read_text().splitlines()


@pytest.fixture
def namespace(api_server: ApiServer) -> str:
    return api_server.fresh_namespace("login-by-program")


async def secrets_of(namespace: str, plugin: Plugin) -> None:
    api = Api(find_login(kubeconfig=str(plugin.kubeconfig)))
    try:
        for _ in range(2):
            await api.send("GET", path_of(SECRET, namespace))
    finally:
        await api.close()


async def test_the_token_of_a_program_is_used_and_asked_for_again_once_it_is_refused(
    api_server: ApiServer, namespace: str, tmp_path: Path
):
    who = f"--serviceaccount={namespace}:default"
    api_server.kubectl("create", "rolebinding", "viewer", "--clusterrole=admin", who, f"--namespace={namespace}")
    token = api_server.kubectl("create", "token", "default", f"--namespace={namespace}").strip()
    plugin = Plugin(api_server, tmp_path, "run-out", token, "not needed")
    await secrets_of(namespace, plugin)
    assert plugin.left == ["not needed"]

    refused = Plugin(api_server, tmp_path, "run-out")
    with pytest.raises(Unauthorized, match="have run out"):
        await secrets_of(namespace, refused)
