"""The first steps on a cluster, on a real API server: no node is there to train, but what it is given it must take."""

import os
import shutil
from pathlib import Path

import pytest

from ..cluster.api_server import ApiServer
from ..cluster.programs import kubernetes_programs
from .pages import all_commands, blocks
from .running import run

PAGE = "docs/first-steps.md"
NAMESPACE = "first-steps"
GIVEN = ("kubectl create configmap", "kubectl patch --local", "kubectl apply")


@pytest.mark.kubernetes
def test_the_server_takes_what_the_first_steps_give_it(api_server: ApiServer, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    shutil.copy(api_server.kubeconfig, kubeconfig)
    api_server.kubectl("create", "namespace", NAMESPACE)
    api_server.kubectl("config", "set-context", "--current", f"--namespace={NAMESPACE}", kubeconfig=kubeconfig)
    for block in blocks(PAGE):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    steps = [each for each in all_commands() if each.place.startswith(PAGE) and each.text.startswith(GIVEN)]
    assert [next(given for given in GIVEN if step.text.startswith(given)) for step in steps] == list(GIVEN)
    path = f"{kubernetes_programs().directory}{os.pathsep}{os.environ['PATH']}"  # the server's own kubectl
    for step in steps:
        assert run(step, tmp_path, KUBECONFIG=str(kubeconfig), PATH=path) == ""
    app = api_server.get("federatedtraining", "first", f"--namespace={NAMESPACE}")["spec"]["app"]
    assert app["codeConfigMapRef"] == {"name": "mine"}
