"""The resource as a whole: `fedka.dev/v1alpha1 FederatedTraining`."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from fedka.api.fields import ApiModel, Bool, Time
from fedka.api.markers import Rule, rules
from fedka.api.spec import TrainingSpec
from fedka.api.status import TrainingStatus

GROUP = "fedka.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "FederatedTraining"
PLURAL = "federatedtrainings"
FINALIZER = f"{GROUP}/cleanup"

_String = Annotated[str, Field(strict=True)]


class OwnerReference(ApiModel):
    """Who a resource belongs to."""

    model_config = ConfigDict(extra="ignore")

    api_version: _String
    kind: _String
    name: _String
    uid: _String
    controller: Bool | None = None
    block_owner_deletion: Bool | None = None


class ObjectMeta(ApiModel):
    """The part of Kubernetes' ObjectMeta that Fedka reads; the rest is ignored."""

    model_config = ConfigDict(extra="ignore")

    name: _String = ""
    namespace: _String = "default"
    uid: _String = ""
    generation: int = 0
    resource_version: _String = ""
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    finalizers: tuple[_String, ...] = ()
    labels: dict[_String, _String] = Field(default_factory=dict)
    annotations: dict[_String, _String] = Field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()


class FederatedTraining(ApiModel):
    """A federated training. Participants train a model on data that never leaves them; Kafka carries the updates."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
                "metadata.name must be a DNS label of at most 40 characters: a-z, 0-9 and - inside, no dots",
            )
        )
    )

    api_version: Literal["fedka.dev/v1alpha1"] = Field(default="fedka.dev/v1alpha1", description="fedka.dev/v1alpha1")
    kind: Literal["FederatedTraining"] = Field(default="FederatedTraining", description="FederatedTraining")
    metadata: ObjectMeta = Field(description="Name, namespace, labels and so on.")
    spec: TrainingSpec = Field(description="What is wanted.")
    status: TrainingStatus | None = Field(default=None, description="What has been observed; written by the operator.")

    @classmethod
    def from_object(cls, obj: dict[str, Any]) -> "FederatedTraining":
        """The training that an object stands for: members by their names in Kubernetes only, not by Python's."""
        return cls.model_validate(obj, by_alias=True, by_name=False)
