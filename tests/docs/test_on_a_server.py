"""First steps and installation on a real API server: no node is there to train, but what it is given it must take."""

import dataclasses
import os
import shutil
from base64 import b64decode
from pathlib import Path

import pytest
import yaml

from ..cluster.api_server import ApiServer, KubectlFailed
from ..cluster.operator_user import operator_user
from ..cluster.programs import kubernetes_programs
from .pages import all_commands, blocks, in_sentences
from .running import run

PAGE = "docs/first-steps.md"
INSTALL = "docs/install.md"
NAMESPACE = "first-steps"
BEFORE_HELM = ("kubectl create namespace", "kubectl -n fedka-system create secret")
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
    for step in steps:
        assert run(step, tmp_path, KUBECONFIG=str(kubeconfig), PATH=path_with_kubectl()) == ""
    app = api_server.get("federatedtraining", "first", f"--namespace={NAMESPACE}")["spec"]["app"]
    assert app["codeConfigMapRef"] == {"name": "mine"}


@pytest.mark.kubernetes
def test_the_secret_of_the_installation_has_what_its_values_name(api_server: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("an authority")
    steps = [each for each in all_commands() if each.place.startswith(INSTALL) and each.text.startswith(BEFORE_HELM)]
    assert len(steps) == len(BEFORE_HELM)
    for step in steps:
        assert run(step, tmp_path, KUBECONFIG=str(api_server.kubeconfig), PATH=path_with_kubectl()) == ""
    (values,) = (yaml.safe_load(block.text) for block in blocks(INSTALL) if block.file == "values.yaml")
    (kafka,) = values["kafkaClusters"]
    secret = api_server.get("secret", kafka["credentialsSecret"]["name"], "--namespace=fedka-system")
    assert kafka["caSecret"]["name"] == kafka["credentialsSecret"]["name"]
    assert set(secret["data"]) == {"username", "password", kafka["caSecret"]["key"]}
    assert b64decode(secret["data"]["username"]).decode() == operator_user()


@pytest.mark.kubernetes
def test_a_training_whose_operator_has_gone_can_be_let_go(api_server: ApiServer, tmp_path: Path) -> None:
    """The way out that the page on uninstalling names: nobody is there to take the finalizer off."""
    (step,) = [each for each in all_commands() if each.text.startswith("kubectl patch ft NAME")]
    namespace = api_server.fresh_namespace("let-go")
    training = next(yaml.safe_load(block.text) for block in blocks(PAGE) if block.file == "training.yaml")
    training["metadata"] |= {"namespace": namespace, "finalizers": ["fedka.dev/cleanup"]}
    api_server.apply(training)
    api_server.kubectl("delete", "ft", "first", f"--namespace={namespace}", "--wait=false")
    assert api_server.get("federatedtraining", "first", f"--namespace={namespace}")["metadata"]["deletionTimestamp"]
    given = dataclasses.replace(step, text=step.text.replace("NAMESPACE", namespace).replace("NAME", "first"))
    assert run(given, tmp_path, KUBECONFIG=str(api_server.kubeconfig), PATH=path_with_kubectl()) == ""
    api_server.kubectl("wait", "ft/first", f"--namespace={namespace}", "--for=delete", "--timeout=60s")


@pytest.mark.kubernetes
def test_a_quota_bounds_the_number_of_trainings(api_server: ApiServer) -> None:
    """As the page on security says; the server's controllers have to find our resource first."""
    (text,) = [text for text, _ in in_sentences() if text.startswith("kubectl create quota")]
    namespace = api_server.fresh_namespace("bounded")
    _, *words = text.partition("=50")[0].split()
    api_server.kubectl(*words[:-1], f"{words[-1]}=1", f"--namespace={namespace}")
    counted = "--for=jsonpath={.status.hard.count/federatedtrainings\\.fedka\\.dev}=1"
    api_server.kubectl("wait", "quota/trainings", f"--namespace={namespace}", counted, "--timeout=90s")
    training = next(yaml.safe_load(block.text) for block in blocks(PAGE) if block.file == "training.yaml")
    api_server.apply(training | {"metadata": {"name": "first", "namespace": namespace}})
    with pytest.raises(KubectlFailed, match="exceeded quota: trainings"):
        api_server.apply(training | {"metadata": {"name": "second", "namespace": namespace}})


def path_with_kubectl() -> str:
    """The server's own."""
    return f"{kubernetes_programs().directory}{os.pathsep}{os.environ['PATH']}"
