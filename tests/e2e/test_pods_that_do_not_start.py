"""Why a pod does not start: what scheduler, kubelet and container runtime say of it stands in the training's status."""

from typing import Any, NamedTuple

import pytest

from .conftest import Make
from .installation import Installation
from .small_app import NAME
from .trainings import Status, Training

pytestmark = pytest.mark.cluster


class Trouble(NamedTuple):
    """A participant's template, and what is to be told: one of these reasons, and a message with these words."""

    template: dict[str, Any]
    reasons: set[str]
    message: str


def container(**members: Any) -> dict[str, Any]:
    """A template that changes the participant's container."""
    return {"spec": {"containers": [{"name": "participant", **members}]}}


TROUBLES = {
    "no-node": Trouble({"spec": {"nodeSelector": {"no": "such"}}}, {"Unschedulable"}, "node"),
    "no-image": Trouble(
        container(image="localhost/not-there:1"), {"ErrImagePull", "ImagePullBackOff"}, "localhost/not-there:1"
    ),
    "no-memory": Trouble(
        container(resources={"requests": {"memory": "24Mi"}, "limits": {"memory": "24Mi"}}),
        {"OOMKilled"},
        "at its memory limit of 24Mi; raise resources.limits.memory",
    ),
}


def test_each_pod_says_what_keeps_it(make: Make):
    participants = [{"name": name, "template": trouble.template} for name, trouble in TROUBLES.items()]
    training = make(participants=participants, rounds={"minAvailable": 3}).create()
    for name, trouble in TROUBLES.items():
        until_told(training, name, trouble.reasons, trouble.message)


def test_code_that_is_not_there_is_named(make: Make, installation: Installation):
    """Only events tell that a volume is missing: the status names what the pod needs for as long as it waits."""
    app = {"image": installation.image, "entrypoint": f"{NAME}:app", "codeConfigMapRef": {"name": "not-there"}}
    training = make(app=app).create()
    training.wait_for(lambda: "FailedMount" in events(training), "without its code, as the kubelet has it")
    until_told(training, "bank-a", {"ContainerCreating"}, "ConfigMap not-there")


def events(training: Training) -> set[str]:
    """Reasons of those of the namespace."""
    return {event.reason for event in training.api.core.list_namespaced_event(training.namespace).items}


def until_told(training: Training, participant: str, reasons: set[str], message: str) -> None:
    def told(status: Status) -> bool:
        (line,) = (each for each in lines(status) if each["name"] == participant)
        return line.get("reason") in reasons and message in line.get("message", "")

    training.until(lambda status: bool(lines(status)) and told(status), f"clear about what keeps {participant}")


def lines(status: Status) -> list[dict[str, Any]]:
    return list(status.get("participants", {}).get("detail", []))
