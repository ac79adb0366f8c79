"""`fedka operator` as a process, on a real API server: what it writes, and how it starts and ends."""

import json
import re
import socket
import time
import urllib.error
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.api.training import FINALIZER

from ..cluster.api_server import ApiServer
from ..cluster.waiting import wait_until
from .operators import GENEROUS_SECONDS, NOWHERE, Operators, training
from .rights import ACCOUNT, account, cluster_role, lease_rules, namespace_rules

pytestmark = pytest.mark.kubernetes
ALL: list[str] = []  # namespaces; else it is its own
SOON_SECONDS = 25  # less than the 30 s that a kubelet gives; on an idle machine it takes 0.1


def test_a_training_gets_a_status(operators: Operators):
    operators.start()
    operators.apply(training(suspend=True))
    operators.until("ft/fraud", ".status.phase", "Suspended")


def test_a_training_that_was_there_before_gets_one_as_well(operators: Operators):
    operators.apply(training(suspend=True))
    operators.start()
    operators.until("ft/fraud", ".status.phase", "Suspended")


def test_a_training_that_nests_by_the_thousand_stops_no_other(lone_operators: Operators):
    """An API server takes it, and sends it to whoever lists or watches."""

    def create_deep(name: str) -> None:
        deep = training(suspend=True) | {"metadata": {"name": name}}
        deep["spec"] |= {"participantTemplate": {"spec": {"affinity": "DEEP"}}}
        text = json.dumps(deep).replace('"DEEP"', '{"a":' * 3000 + "1" + "}" * 3000)
        lone_operators.kubectl("create", "--filename=-", stdin=text)

    create_deep("listed")
    lone_operators.start(watchNamespaces=ALL).until_said(r"leads")
    create_deep("watched")
    lone_operators.apply(training(suspend=True))
    for name in ("fraud", "listed", "watched"):
        lone_operators.until(f"ft/{name}", ".status.phase", "Suspended")


def test_a_kafka_that_is_away_is_told(operators: Operators):
    operators.start()
    operators.apply(training())
    operators.until("ft/fraud", '.status.conditions[?(@.type=="KafkaReady")].reason', "KafkaUnreachable")
    assert "KafkaUnreachable" in operators.kubectl("describe", "ft/fraud")


def test_a_kafka_that_takes_connections_and_never_answers_is_told_as_well(operators: Operators):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        operators.bootstrap_servers = f"127.0.0.1:{silent.getsockname()[1]}"
        operators.start()
        operators.apply(training())
        operators.until("ft/fraud", '.status.conditions[?(@.type=="KafkaReady")].reason', "KafkaUnreachable")


def test_all_that_is_written_into_a_training_is_its_finalizer_and_its_status(lone_operators: Operators):
    lone_operators.apply(training())
    made = lone_operators.get("ft/fraud")
    operator = lone_operators.start(watchNamespaces=ALL)
    lone_operators.until("ft/fraud", '.status.conditions[?(@.type=="KafkaReady")].reason', "KafkaUnreachable")
    assert operator.stop() == exit_codes.OK
    found = lone_operators.get("ft/fraud")
    assert found.pop("status")
    assert found["metadata"].pop("finalizers") == [FINALIZER]
    del found["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"]
    assert found == made


@pytest.mark.parametrize("namespaces", [{}, {"watchNamespaces": ALL}], ids=["some", "all"])
def test_sigterm_gives_the_lease_back_and_ends_in_order(lone_operators: Operators, namespaces: dict[str, list[str]]):
    operator = lone_operators.start(**namespaces)
    operator.until_said(r"leads")
    began = time.monotonic()
    assert operator.stop() == exit_codes.OK
    assert time.monotonic() - began < SOON_SECONDS
    assert lone_operators.holder() == ""
    assert "Traceback" not in operator.log.read_text()
    assert "Unclosed" not in operator.log.read_text()


def test_credentials_that_change_end_it_in_order_for_a_new_start(operators: Operators, tmp_path: Path):
    user, password = tmp_path / "username", tmp_path / "password"
    user.write_text("fedka")
    password.write_text("first")
    kafka = {
        "name": "default",
        "bootstrapServers": NOWHERE,
        "securityProtocol": "SASL_SSL",
        "usernameFile": str(user),
        "passwordFile": str(password),
        "identities": "Scram",
    }
    operator = operators.start(kafkaClusters=[kafka])
    operator.until_said(r"leads")
    password.write_text("second")
    assert operator.process.wait(GENEROUS_SECONDS) == exit_codes.OK
    assert f"{password} has changed" in operator.log.read_text()
    assert operators.holder() == ""


def test_sigterm_is_heard_while_kafka_is_waited_for(operators: Operators):
    operator = operators.start()
    operators.apply(training())
    operator.until_said(r"fraud: Kafka is not reached")
    began = time.monotonic()
    assert operator.stop() == exit_codes.OK
    assert time.monotonic() - began < SOON_SECONDS


def test_its_endpoints_tell_how_it_is(operators: Operators):
    operator = operators.start()
    operators.apply(training(suspend=True))
    operators.until("ft/fraud", ".status.phase", "Suspended")
    assert operator.ask("healthz").startswith("ok")
    assert operator.ask("readyz").startswith("ok")
    figures = operator.ask("metrics")
    for line in (
        "fedka_leader 1.0",
        'fedka_trainings{phase="Suspended"} 1.0',
        'fedka_kafka_reachable{cluster="default"} 1.0',
        'resource="federatedtrainings/status"',
    ):
        assert line in figures


def test_what_is_in_other_namespaces_is_left_alone(operators: Operators, api_server: ApiServer):
    operators.start()
    other = api_server.fresh_namespace("other")
    api_server.apply(training(suspend=True) | {"metadata": {"name": "fraud", "namespace": other}})
    operators.apply(training(suspend=True))
    operators.until("ft/fraud", ".status.phase", "Suspended")
    assert "status" not in api_server.get("ft/fraud", f"--namespace={other}")


def test_without_rights_it_says_which_one_is_missing(operators: Operators, api_server: ApiServer):
    operator = operators.start(kubeconfig=api_server.kubeconfig_for("default", operators.namespace))
    assert operator.process.wait(GENEROUS_SECONDS) == exit_codes.FAILED
    assert 'cannot list resource "federatedtrainings"' in operator.log.read_text()


def test_without_a_right_in_all_namespaces_it_is_not_ready_and_goes_on_once_it_has_it(lone_operators: Operators):
    server, own = lone_operators.server, lone_operators.namespace
    rules = [*namespace_rules(), *lease_rules()]
    without_jobs = [{**rule, "resources": [each for each in rule["resources"] if each != "jobs"]} for rule in rules]
    server.apply(account(own), *cluster_role(own, [rule for rule in without_jobs if rule["resources"]], of=own))
    operator = lone_operators.start(kubeconfig=server.kubeconfig_for(ACCOUNT, own), watchNamespaces=ALL)
    operator.until_said(r"all trainings are left alone until jobs can be watched in all namespaces")
    lone_operators.apply(training(suspend=True))
    with pytest.raises(urllib.error.HTTPError, match="503"):
        operator.ask("readyz")
    assert "status" not in lone_operators.get("ft/fraud")
    server.apply(*cluster_role(own, rules, of=own))
    lone_operators.until("ft/fraud", ".status.phase", "Suspended")
    assert operator.ask("readyz").startswith("ok")


def test_an_api_server_that_goes_away_and_comes_back_is_outlived(lone_operators: Operators):
    lone_operators.start(watchNamespaces=ALL).until_said(r"leads")
    lone_operators.server.restart("kube-apiserver")
    lone_operators.apply(training(suspend=True))

    def suspended() -> bool:
        if lone_operators.processes[-1].process.poll() is not None:  # it lost its lease: a kubelet would start it again
            lone_operators.start(watchNamespaces=ALL)
        return lone_operators.get("ft/fraud").get("status", {}).get("phase") == "Suspended"

    assert wait_until(suspended, GENEROUS_SECONDS)


def test_an_api_server_that_is_away_at_the_start_is_waited_for(lone_operators: Operators):
    lone_operators.server.kill("kube-apiserver")
    try:
        operator = lone_operators.start()
        operator.until_said(r"the API server is waited for")
        assert operator.ask("healthz").startswith("ok")  # or a kubelet would end it
        with pytest.raises(urllib.error.HTTPError, match="503"):
            operator.ask("readyz")
    finally:
        lone_operators.server.restart("kube-apiserver")
    operator.until_said(r"\S+ leads")


def test_sigterm_is_heard_while_the_api_server_is_waited_for(operators: Operators, tmp_path: Path):
    kubeconfig = tmp_path / "nobody.kubeconfig"
    kubeconfig.write_text(re.sub(r"server: .*", "server: https://127.0.0.1:1", operators.server.kubeconfig.read_text()))
    operator = operators.start(kubeconfig=kubeconfig)
    operator.until_said(r"the API server is waited for")
    assert operator.stop() == exit_codes.OK
