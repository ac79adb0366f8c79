"""What all records are made of: the bounds of their fields and the classes they share."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

VERSION: Literal[1] = 1
MOST_RECORD_BYTES = 256 * 1024
MOST_EXAMPLES = 2**29
MOST_METRICS = 16

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$")]
Offset = Annotated[int, Field(ge=0, lt=2**63)]
Count = Annotated[int, Field(ge=0, lt=2**31)]
Examples = Annotated[int, Field(ge=1, le=MOST_EXAMPLES)]
Text = Annotated[str, Field(max_length=2048)]
MetricName = Annotated[str, Field(min_length=1, max_length=63)]
Metrics = Annotated[dict[MetricName, Annotated[float, Field(allow_inf_nan=False)]], Field(max_length=MOST_METRICS)]
"""Finite numbers only: one NaN would poison the mean that everyone sees."""


class Part(BaseModel):
    """What records are made of: frozen, strict, camelCase in JSON as in the resource."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Record(Part):
    """What every control record has: its type (given by each class) and the version of its form."""

    type: str
    v: Literal[1] = VERSION
