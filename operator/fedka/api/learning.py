"""How updates become a model, what an update may be, and where the run is kept: none of it ever changes.

A replay of the run from the log must give the same model, and topics do not move between clusters.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from fedka.api.fields import DNS_LABEL, ApiModel, PositiveDecimal, Quantity, parse_quantity


class StrategyType(StrEnum):
    """How updates become the next global model."""

    FED_AVG = "FedAvg"


class Weighting(StrEnum):
    """How much an update counts."""

    EXAMPLES = "Examples"
    UNIFORM = "Uniform"


class Strategy(ApiModel):
    """How the updates of a round become the next global model. Immutable."""

    type: StrategyType = Field(
        default=StrategyType.FED_AVG,
        description="The strategy: FedAvg (the weighted mean of the updates), the default.",
    )
    weighting: Weighting = Field(
        default=Weighting.EXAMPLES,
        description="How much an update counts, default Examples. Examples: by the examples it was trained on. "
        "Uniform: all alike.",
    )


class Update(ApiModel):
    """Limits on what a participant may send. Immutable."""

    max_norm: PositiveDecimal | None = Field(
        default=None,
        description='Largest L2 norm of an update, a positive decimal number in quotes, e.g. "10"; a larger one is '
        "rejected. Absent: no limit.",
    )
    max_model_bytes: Quantity = Field(
        default="16Gi",
        description="Largest model in bytes, e.g. 512Mi or 16Gi (suffixes k M G T Ki Mi Gi Ti), default 16Gi. Checked "
        "before memory is allocated; a larger one fails the training.",
    )

    def max_model_size(self) -> int:
        """`max_model_bytes` as a number of bytes."""
        return parse_quantity(self.max_model_bytes)


class ReclaimPolicy(StrEnum):
    """What becomes of the topics when the training is deleted."""

    DELETE = "Delete"
    RETAIN = "Retain"


class Retention(StrEnum):
    """How much of the run's data Kafka keeps."""

    BOUNDED = "Bounded"
    AUDIT = "Audit"


class Kafka(ApiModel):
    """Where the run's topics live and how long. Immutable."""

    cluster_name: Annotated[str, Field(strict=True, min_length=1, max_length=63, pattern=DNS_LABEL)] = Field(
        default="default",
        description="Name of a Kafka cluster in the operator's own configuration, at most 63 characters, default "
        "default.",
    )
    reclaim_policy: ReclaimPolicy = Field(
        default=ReclaimPolicy.DELETE,
        description="What becomes of the topics, and of the model in them, when the training is deleted. Default: "
        "Delete.",
    )
    retention: Retention = Field(
        default=Retention.BOUNDED,
        description="Bounded (the default): updates and old models go when they are no longer needed. Audit: all is "
        "kept, so that the run can be replayed from the first round.",
    )
