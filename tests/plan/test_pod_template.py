"""How a user's template is merged, and what it cannot change."""

from typing import Any

from fedka.api.pods import PodTemplate
from fedka.plan.pod_template import BUNDLE_DIRECTORY, pod_template
from fedka.plan.snapshot import Role


def made(*templates: dict[str, Any]) -> dict[str, Any]:
    return pod_template(
        role=Role.PARTICIPANT,
        image="fedka-participant",
        secret="bundle-of-a",
        labels={"fedka.dev/role": "participant"},
        templates=tuple(PodTemplate.model_validate(template) for template in templates),
    )


def container(template: dict[str, Any], name: str = "participant") -> dict[str, Any]:
    (found,) = [each for each in template["spec"]["containers"] if each["name"] == name]
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
