"""Pod templates: whatever Kubernetes knows may stand in them, except what would let a training out of its confinement.

Those few members are declared, because a CEL rule sees only what a schema declares.
"""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from fedka.api.fields import ApiModel, Bool
from fedka.api.markers import Rule, Schema, preserve_unknown, rules

Label = Annotated[str, Field(strict=True, max_length=63)]
Annotation = Annotated[str, Field(strict=True, max_length=4096)]
ServiceAccountName = Annotated[str, Field(strict=True, max_length=253)]

ATOMIC: Schema = {"x-kubernetes-list-type": "atomic"}


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


class ProjectedSource(ApiModel):
    """One source of a projected volume; only what is guarded is declared."""

    model_config = _open()

    service_account_token: dict[str, Any] | None = Field(
        default=None,
        json_schema_extra=preserve_unknown(),
        description="Refused: training pods hold no Kubernetes credential.",
    )
    pod_certificate: dict[str, Any] | None = Field(
        default=None,
        json_schema_extra=preserve_unknown(),
        description="Refused: some signers' certificates are Kubernetes credentials.",
    )


class Projected(ApiModel):
    """A projected volume; only what is guarded is declared."""

    model_config = _open()

    sources: Annotated[tuple[ProjectedSource, ...], Field(max_length=8, json_schema_extra=ATOMIC)] | None = Field(
        default=None, description="Sources, at most 8; serviceAccountToken and podCertificate are refused."
    )


class Volume(ApiModel):
    """One volume."""

    model_config = _open(
        Rule("!has(self.hostPath)", "is refused: use a PersistentVolumeClaim, CSI or ephemeral volume", ".hostPath"),
        Rule(
            "!has(self.projected) || !has(self.projected.sources) || "
            "self.projected.sources.all(source, !has(source.serviceAccountToken) && !has(source.podCertificate))",
            "must hold no serviceAccountToken or podCertificate: training pods hold no Kubernetes credential",
            ".projected",
        ),
    )

    host_path: dict[str, Any] | None = Field(
        default=None,
        json_schema_extra=preserve_unknown(),
        description="Refused: training pods do not see the node's files.",
    )
    projected: Projected | None = Field(
        default=None, description="A projected volume; one with a serviceAccountToken or podCertificate is refused."
    )


_CONFINED = "must not be true: training pods are confined to themselves; remove it"
_NO_CREDENTIAL = "is refused: training pods hold no Kubernetes credential; name image pull secrets in imagePullSecrets"


class PodSpec(ApiModel):
    """A Kubernetes PodSpec. Fedka sets command, bundle and restart policy itself.

    What it sets by default fits Pod Security `restricted`: another user, a writable root file system and the like can
    be asked for here, and the namespace decides.
    """

    model_config = _open(
        Rule("!has(self.hostNetwork) || !self.hostNetwork", _CONFINED, ".hostNetwork"),
        Rule("!has(self.hostPID) || !self.hostPID", _CONFINED, ".hostPID"),
        Rule("!has(self.hostIPC) || !self.hostIPC", _CONFINED, ".hostIPC"),
        Rule("!has(self.serviceAccountName)", _NO_CREDENTIAL, ".serviceAccountName"),
        Rule("!has(self.serviceAccount)", _NO_CREDENTIAL, ".serviceAccount"),
    )

    host_network: Bool | None = Field(default=None, description="Must not be true.")
    host_pid: Bool | None = Field(default=None, alias="hostPID", description="Must not be true.")
    host_ipc: Bool | None = Field(default=None, alias="hostIPC", description="Must not be true.")
    service_account_name: ServiceAccountName | None = Field(
        default=None, description="Refused: training pods hold no Kubernetes credential."
    )
    service_account: ServiceAccountName | None = Field(
        default=None, description="Refused, as the older name of serviceAccountName."
    )
    containers: Annotated[tuple[Container, ...], Field(max_length=16, json_schema_extra=ATOMIC)] | None = Field(
        default=None,
        description="Containers, at most 16. The one named as the role (participant, aggregator) is merged. Its "
        "default resources are requests of 100m cpu and 512Mi memory (aggregator: 256Mi) and no limits; resources "
        "given here replace them. It runs as user 65532 and may write to /tmp only, unless told otherwise here.",
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
        default=None,
        description="PodSpec, merged over what Fedka sets: resources, volumes, node selectors and so on. A null in "
        "securityContext takes a default away.",
    )
