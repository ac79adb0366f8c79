"""What plans ask for is taken by a real API server, in a namespace that enforces Pod Security `restricted`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedka.kubernetes.api import Api
from fedka.kubernetes.cluster import KubernetesCluster
from fedka.kubernetes.login import find_login
from fedka.plan.network import network
from fedka.plan.planner import make_plan
from fedka.reconcile.ports import Invalid

from ..cluster.api_server import ApiServer
from ..reconcile.builders import training_object
from .case_files import load, with_egress

pytestmark = pytest.mark.kubernetes

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
READY: dict[str, Any] = {"now": 0, "journal": [], "published": None}
FULL_TEMPLATE = {
    "metadata": {"labels": {"team": "fraud"}, "annotations": {"note": "of the user"}},
    "spec": {
        "nodeSelector": {"zone": "a"},
        "imagePullSecrets": [{"name": "pull"}],
        "initContainers": [{"name": "fetch", "image": "fetch:1"}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "patients"}}],
        "containers": [
            {
                "name": "participant",
                "resources": {"limits": {"memory": "256Mi"}},
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                "env": [{"name": "DATA", "value": "/data"}],
            },
            {"name": "proxy", "image": "proxy:1"},
        ],
    },
}
WHOLE = READY | {
    "spec": {
        "app": {"entrypoint": "fraud:app", "codeConfigMapRef": {"name": "fraud-code"}},
        "participantTemplate": FULL_TEMPLATE,
    }
}


@pytest.fixture(scope="module")
def namespace(api_server: ApiServer) -> str:
    return api_server.fresh_namespace("planned", RESTRICTED)


def manifests(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All children that the plan of a case makes, and the pods of its Jobs."""
    plan = make_plan(load(case))
    for child in (*plan.bundles, *plan.network_policies, *plan.jobs):
        yield dict(child.manifest)
    for job in plan.jobs:
        template = job.manifest["spec"]["template"]
        metadata = {**template["metadata"], "name": job.name}
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def take(api_server: ApiServer, namespace: str, *objects: dict[str, Any], dry_run: bool = True) -> None:
    """Create them; a warning counts as a refusal."""
    placed = [{**each, "metadata": {**each["metadata"], "namespace": namespace}} for each in objects]
    api_server.kubectl(
        "create",
        "--warnings-as-errors",
        "--filename=-",
        *(["--dry-run=server"] if dry_run else []),
        stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": placed}),
    )


def test_every_child_of_the_cases_is_taken(api_server: ApiServer, namespace: str):
    cases = [yaml.safe_load((case / "snapshot.yaml").read_text()) for case in CASES]
    wanted = [each for case in cases for each in manifests(case)]
    assert {each["kind"] for each in wanted} == {"Job", "Pod", "Secret", "NetworkPolicy"}
    take(api_server, namespace, *wanted)


def test_pods_of_a_full_template_are_taken(api_server: ApiServer, namespace: str):
    take(api_server, namespace, *manifests(WHOLE))


def test_egress_rules_are_taken_as_they_are_configured(api_server: ApiServer, namespace: str):
    rules = ({"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"protocol": "TCP", "port": 9093}]},)
    snapshot = with_egress(load(READY), rules)
    policies = [dict(policy.manifest) for policy in network(snapshot).network_policies]
    assert [policy["spec"].get("egress") for policy in policies] == [list(rules), None]
    take(api_server, namespace, *policies)


def test_the_job_controller_makes_the_pod(api_server: ApiServer, namespace: str):
    job = next(each for each in manifests(WHOLE) if each["kind"] == "Job")
    del job["metadata"]["ownerReferences"]  # the garbage collector finds no such training
    take(api_server, namespace, job, dry_run=False)
    selector = f"--selector=job-name={job['metadata']['name']}"
    api_server.kubectl("wait", "pod", selector, f"--namespace={namespace}", "--for=create", "--timeout=60s")


@pytest.mark.parametrize(
    ("container", "told"),
    [
        ({"name": "participant", "resources": {"limits": {"memory": "much"}}}, "quantities must match"),
        (
            {"name": "participant", "resources": {"limits": {"memory": "1"}, "requests": {"memory": "2"}}},
            r"containers\[0\]\.resources\.requests: Invalid value: \"2\": must be less than or equal to memory limit",
        ),
        ({"name": "participant", "resorces": {}}, r'unknown field "spec\.template\.spec\.containers\[0\]\.resorces"'),
        ({"image": "proxy:1"}, r"spec\.template\.spec\.containers\[1\]\.name: Required value"),
        ({"name": "participant", "env": {"A": "1"}}, r"Container\.spec\.template\.spec\.containers\.env"),
    ],
    ids=["quantity", "resources", "misspelt", "unnamed", "no list"],
)
async def test_a_template_of_nonsense_is_refused_by_the_fields_name(
    api_server: ApiServer, namespace: str, container: dict[str, Any], told: str
):
    case = READY | {"spec": {"participantTemplate": {"spec": {"containers": [container]}}}}
    job = next(each for each in manifests(case) if each["kind"] == "Job" and "-a-" in each["metadata"]["name"])
    job["metadata"]["namespace"] = namespace
    api = Api(find_login(kubeconfig=str(api_server.kubeconfig)))
    try:
        with pytest.raises(Invalid, match=told):
            await KubernetesCluster(api).create(job, field_manager="test")
    finally:
        await api.close()


def test_null_in_a_template_takes_a_default_away(api_server: ApiServer, namespace: str):
    """Where a platform assigns users itself, as OpenShift does, the pod must name none."""
    template = {"spec": {"securityContext": {"runAsUser": None, "runAsGroup": None}}}
    training = training_object("null", participantTemplate=template)
    training["metadata"]["namespace"] = namespace
    api_server.apply(training)
    kept = api_server.get("federatedtraining", "null", f"--namespace={namespace}")["spec"]["participantTemplate"]
    case = READY | {"spec": {"participantTemplate": kept}}
    (pod, *_) = [each for each in manifests(case) if each["kind"] == "Pod" and "-a-" in each["metadata"]["name"]]
    assert pod["spec"]["securityContext"].get("runAsUser") is None
    take(api_server, namespace, pod)
