"""Pod templates: whatever Kubernetes knows may stand in them, except what would let a training out of its confinement.

Those few members are declared, because a CEL rule sees only what a schema declares.
"""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from fedka.api.fields import ApiModel, Bool
from fedka.api.markers import Rule, Schema, preserve_unknown, rules

Label = Annotated[str, Field(strict=True, max_length=63)]
Annotation = Annotated[str, Field(strict=True, max_length=4096)]


def _open(*entries: Rule) -> ConfigDict:
    """Configuration of a model that keeps what it does not declare."""
    extra: Schema = preserve_unknown() | (rules(*entries) if entries else {})
    return ConfigDict(extra="allow", json_schema_extra=extra)


class SecurityContext(ApiModel):
    """Of a container; only what is guarded is declared."""

    model_config = _open(
        Rule("!has(self.privileged) || !self.privileged", "must not be true: remove it", ".privileged"),
    )

    privileged: Bool | None = Field(default=None, description="Must not be true: training pods are confined.")


class Container(ApiModel):
    """One container, or a patch of the one that Fedka makes (of the same name)."""

    model_config = _open()

    security_context: SecurityContext | None = Field(
        default=None, description="Security settings of the container; privileged is refused."
    )


class Volume(ApiModel):
    """One volume."""

    model_config = _open(
        Rule("!has(self.hostPath)", "is refused: use a PersistentVolumeClaim, CSI or ephemeral volume", ".hostPath"),
    )

    host_path: dict[str, Any] | None = Field(
        default=None,
        json_schema_extra=preserve_unknown(),
        description="Refused: training pods do not see the node's files.",
    )


_CONFINED = "must not be true: training pods are confined to themselves; remove it"

ATOMIC: Schema = {"x-kubernetes-list-type": "atomic"}


class PodSpec(ApiModel):
    """A Kubernetes PodSpec. Fedka sets command, bundle and restart policy itself."""

    model_config = _open(
        Rule("!has(self.hostNetwork) || !self.hostNetwork", _CONFINED, ".hostNetwork"),
        Rule("!has(self.hostPID) || !self.hostPID", _CONFINED, ".hostPID"),
        Rule("!has(self.hostIPC) || !self.hostIPC", _CONFINED, ".hostIPC"),
        Rule(
            "!has(self.serviceAccountName)",
            "is refused: training pods hold no Kubernetes credential; name image pull secrets in imagePullSecrets",
            ".serviceAccountName",
        ),
    )

    host_network: Bool | None = Field(default=None, description="Must not be true.")
    host_pid: Bool | None = Field(default=None, alias="hostPID", description="Must not be true.")
    host_ipc: Bool | None = Field(default=None, alias="hostIPC", description="Must not be true.")
    service_account_name: Annotated[str, Field(strict=True, max_length=253)] | None = Field(
        default=None, description="Refused: training pods hold no Kubernetes credential."
    )
    containers: Annotated[tuple[Container, ...], Field(max_length=16, json_schema_extra=ATOMIC)] | None = Field(
        default=None,
        description="Containers, at most 16. The one named as the role (participant, aggregator) is merged.",
    )
    init_containers: Annotated[tuple[Container, ...], Field(max_length=16, json_schema_extra=ATOMIC)] | None = Field(
        default=None, description="Containers that run before, at most 16."
    )
    volumes: Annotated[tuple[Volume, ...], Field(max_length=64, json_schema_extra=ATOMIC)] | None = Field(
        default=None, description="Volumes, at most 64; hostPath is refused."
    )


class PodMetadata(ApiModel):
    """Labels and annotations for a pod."""

    labels: Annotated[dict[str, Label], Field(max_length=64)] | None = Field(
        default=None, description="Labels added to the pod, at most 64; those of Fedka win."
    )
    annotations: Annotated[dict[str, Annotation], Field(max_length=64)] | None = Field(
        default=None, description="Annotations added to the pod, at most 64."
    )


class PodTemplate(ApiModel):
    """A Kubernetes PodTemplateSpec that is merged over the one Fedka makes."""

    metadata: PodMetadata | None = Field(default=None, description="Labels and annotations of the pod.")
    spec: PodSpec | None = Field(
        default=None, description="PodSpec, merged over what Fedka sets: resources, volumes, node selectors and so on."
    )
