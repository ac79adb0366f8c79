"""How a user's template is merged, and what it cannot change."""

from typing import Any

import pytest

from fedka.api.pods import PodTemplate
from fedka.plan.pod_template import BUNDLE_DIRECTORY, CODE_DIRECTORY, pod_template
from fedka.plan.snapshot import Role


def made(*templates: dict[str, Any], code: str | None = None) -> dict[str, Any]:
    return pod_template(
        role=Role.PARTICIPANT,
        image="fedka-participant",
        secret="bundle-of-a",
        labels={"fedka.dev/role": "participant"},
        templates=tuple(PodTemplate.model_validate(template) for template in templates),
        code=code,
    )


def container(template: dict[str, Any], name: str = "participant") -> dict[str, Any]:
    (found,) = [each for each in template["spec"]["containers"] if each.get("name") == name]
    return found


def test_a_template_adds_to_the_container_of_the_role():
    template = made({"spec": {"containers": [{"name": "participant", "resources": {"limits": {"memory": "4Gi"}}}]}})
    assert container(template)["resources"] == {"limits": {"memory": "4Gi"}}
    assert container(template)["command"] == ["fedka", "participant"]


def test_a_participants_own_template_wins_over_the_shared_one():
    shared = {"spec": {"nodeSelector": {"zone": "a", "disk": "fast"}}}
    own = {"spec": {"nodeSelector": {"zone": "b"}}}
    assert made(shared, own)["spec"]["nodeSelector"] == {"zone": "b", "disk": "fast"}


def test_volumes_and_mounts_are_added_to_those_of_the_bundle():
    template = made(
        {
            "spec": {
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "patients"}}],
                "containers": [{"name": "participant", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
            }
        }
    )
    assert {volume["name"] for volume in template["spec"]["volumes"]} == {"data", "fedka-bundle", "fedka-tmp"}
    assert {mount["mountPath"] for mount in container(template)["volumeMounts"]} == {"/data", "/tmp", BUNDLE_DIRECTORY}


def test_another_container_is_kept_beside_it():
    template = made({"spec": {"containers": [{"name": "proxy", "image": "proxy"}]}})
    assert container(template, "proxy")["image"] == "proxy"
    assert "command" not in container(template, "proxy")


def test_what_is_guarded_cannot_be_changed():
    template = made(
        {
            "metadata": {"labels": {"fedka.dev/role": "aggregator", "team": "fraud"}},
            "spec": {
                "restartPolicy": "Always",
                "automountServiceAccountToken": True,
                "containers": [
                    {
                        "name": "participant",
                        "command": ["sh"],
                        "args": ["-c", "true"],
                        "env": [{"name": "FEDKA_BUNDLE", "value": "/elsewhere"}, {"name": "OTHER", "value": "1"}],
                    }
                ],
            },
        }
    )
    assert template["metadata"]["labels"] == {"fedka.dev/role": "participant", "team": "fraud"}
    assert template["spec"]["restartPolicy"] == "Never"
    assert template["spec"]["automountServiceAccountToken"] is False
    assert container(template)["command"] == ["fedka", "participant"]
    assert container(template)["args"] == []
    assert {entry["name"]: entry["value"] for entry in container(template)["env"]} == {
        "FEDKA_BUNDLE": BUNDLE_DIRECTORY,
        "OTHER": "1",
    }


@pytest.mark.parametrize(
    "source",
    [
        {"hostPath": {"path": "/etc"}},
        {"projected": {"sources": [{"configMap": {"name": "x"}}, {"serviceAccountToken": {"path": "token"}}]}},
        {"projected": {"sources": [{"podCertificate": {"keyType": "ED25519"}}]}},
    ],
)
def test_a_volume_that_an_older_crd_lets_through_is_left_out(source: dict[str, Any]):
    volumes = [{"name": "bad", **source}, {"name": "good", "configMap": {"name": "x"}}]
    kept = made({"spec": {"volumes": volumes}})["spec"]["volumes"]
    assert {each["name"] for each in kept} == {"fedka-tmp", "good", "fedka-bundle"}


def test_a_pod_is_confined_without_a_template():
    spec = made()["spec"]
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container({"spec": spec})["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert spec["automountServiceAccountToken"] is spec["enableServiceLinks"] is False


def test_a_template_may_choose_another_user_and_a_writable_root():
    template = made(
        {
            "spec": {
                "securityContext": {"runAsUser": 1000, "fsGroup": 2000},
                "containers": [{"name": "participant", "securityContext": {"readOnlyRootFilesystem": False}}],
            }
        }
    )
    pod = template["spec"]["securityContext"]
    assert (pod["runAsUser"], pod["fsGroup"], pod["runAsNonRoot"]) == (1000, 2000, True)
    assert container(template)["securityContext"]["readOnlyRootFilesystem"] is False


def test_containers_beside_it_are_confined_too():
    template = made({"spec": {"containers": [{"name": "proxy"}], "initContainers": [{"name": "fetch"}]}})
    (first,) = template["spec"]["initContainers"]
    for each in (container(template, "proxy"), first):
        assert each["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_default_resources_are_requests_only():
    assert container(made())["resources"] == {"requests": {"cpu": "100m", "memory": "512Mi"}}


def test_code_of_a_config_map_is_mounted_read_only():
    template = made(code="fraud-code")
    (mount,) = [each for each in container(template)["volumeMounts"] if each["mountPath"] == CODE_DIRECTORY]
    (volume,) = [each for each in template["spec"]["volumes"] if each["name"] == mount["name"]]
    assert mount["readOnly"] is True
    assert volume["configMap"] == {"name": "fraud-code"}


def test_the_bundles_mount_and_volume_are_ours_whole():
    template = made(
        {
            "spec": {
                "volumes": [{"name": "fedka-bundle", "emptyDir": {}}],
                "containers": [
                    {
                        "name": "participant",
                        "env": [{"name": "FEDKA_BUNDLE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
                        "volumeMounts": [{"name": "other", "mountPath": BUNDLE_DIRECTORY, "subPath": "x"}],
                    }
                ],
            }
        }
    )
    (volume,) = [each for each in template["spec"]["volumes"] if each["name"] == "fedka-bundle"]
    (mount,) = [each for each in container(template)["volumeMounts"] if each["mountPath"] == BUNDLE_DIRECTORY]
    assert volume == {"name": "fedka-bundle", "secret": {"secretName": "bundle-of-a"}}
    assert mount == {"name": "fedka-bundle", "mountPath": BUNDLE_DIRECTORY, "readOnly": True}
    assert container(template)["env"] == [{"name": "FEDKA_BUNDLE", "value": BUNDLE_DIRECTORY}]


def test_what_an_older_crd_lets_through_is_left_out():
    forbidden = {
        "hostNetwork": True,
        "hostPID": True,
        "hostIPC": True,
        "serviceAccountName": "x",
        "serviceAccount": "x",
    }
    proxy = {"name": "proxy", "securityContext": {"privileged": True}}
    template = made({"spec": {**forbidden, "containers": [proxy]}})
    assert not forbidden.keys() & template["spec"].keys()
    assert "privileged" not in container(template, "proxy")["securityContext"]


def test_nonsense_is_kept_for_the_api_server_to_refuse():
    template = made({"spec": {"containers": [{"image": "x"}, {"name": "participant", "env": {"A": "1"}}]}})
    assert template["spec"]["containers"][1]["image"] == "x"
    assert container(template)["env"] == {"A": "1"}
