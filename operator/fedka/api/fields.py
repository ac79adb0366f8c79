"""The scalar types of the resource, with the bounds that every list, string and number must have.

Strings are never coerced from numbers and numbers never from strings: the API server would refuse both, and what passes
here must pass there. Regular expressions keep to the syntax that RE2 (the server) and Python share.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from fedka.api.markers import NumberOrPercent, Rule, rules

MAX_PARTICIPANTS = 1000  # a resource of 1000 participants is 30 kB, and 268 kB with a template each
MAX_ROUNDS = 100_000
INT32_MAX = 2**31 - 1
# The API server holds bounds as float64: one of 2^63-1 overflows there and refuses every value, and jq would round it.
INT64_MOST = 2**53 - 1


class ApiModel(BaseModel):
    """A frozen part of the resource: camelCase on the wire, snake_case in Python; unknown members are refused."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        frozen=True,
        extra="forbid",
    )

    def to_object(self) -> dict[str, Any]:
        """The JSON object as it stands in Kubernetes: camelCase, absent members left out."""
        return self.model_dump(mode="json", exclude_none=True)


def int32(*, least: int, most: int = INT32_MAX) -> Any:
    """Bounds of a 32-bit integer field, for `Annotated`."""
    return Field(strict=True, ge=least, le=most, json_schema_extra={"format": "int32"})


def int64(*, least: int, most: int = INT64_MOST) -> Any:
    """Bounds of a 64-bit integer field, for `Annotated`."""
    return Field(strict=True, ge=least, le=most, json_schema_extra={"format": "int64"})


DNS_LABEL = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _text_of_time(value: object) -> object:
    """Lets only RFC 3339 text (and Python's own times) through; pydantic would take numbers, too, as seconds."""
    if isinstance(value, datetime) or (isinstance(value, str) and RFC_3339.fullmatch(value)):
        return value
    raise PydanticCustomError("time", "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z")


Time = Annotated[AwareDatetime, BeforeValidator(_text_of_time)]
Bool = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(strict=True, max_length=1024)]
Name = Annotated[str, Field(strict=True, min_length=1, max_length=40, pattern=DNS_LABEL)]
MetricName = Annotated[str, Field(strict=True, min_length=1, max_length=63, pattern="^[A-Za-z_][A-Za-z0-9_.-]*$")]
Decimal = Annotated[str, Field(strict=True, min_length=1, max_length=32, pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$")]
PositiveDecimal = Annotated[
    str,
    Field(
        strict=True,
        min_length=1,
        max_length=32,
        pattern=r"^[0-9]{1,15}(\.[0-9]{1,15})?$",
        json_schema_extra=rules(Rule("double(self) > 0.0", "must be greater than 0")),
    ),
]
Quantity = Annotated[
    str,
    Field(
        strict=True,
        min_length=1,
        max_length=18,
        # Six digits before a suffix keep the bytes within 63 bits.
        pattern="^([1-9][0-9]{0,17}|[1-9][0-9]{0,5}(k|M|G|T|Ki|Mi|Gi|Ti))$",
    ),
]
SampleCount = Annotated[int | str, NumberOrPercent(least=1, most=MAX_PARTICIPANTS)]
ExtraCount = Annotated[int | str, NumberOrPercent(least=0, most=MAX_PARTICIPANTS)]
ConfigValue = Annotated[str, Field(strict=True, max_length=1024)]
ConfigMap = Annotated[
    dict[Annotated[str, Field(strict=True)], ConfigValue],
    Field(
        max_length=64,
        json_schema_extra=rules(
            Rule(
                "self.all(k, k.size() <= 63 && k.matches('^[A-Za-z_][A-Za-z0-9_]*$'))",
                "keys must be Python names of at most 63 characters, such as learning_rate",
            )
        ),
    ),
]

_SUFFIXES: Mapping[str, int] = MappingProxyType(
    {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
)


def parse_quantity(quantity: str) -> int:
    """The bytes that a quantity such as `16Gi` stands for; ValueError for what the field would refuse."""
    found = re.fullmatch(r"([1-9][0-9]{0,17})(k|M|G|T|Ki|Mi|Gi|Ti)?", quantity)
    if found is None:
        raise ValueError(f"{quantity!r} is not a size: write digits and one of k M G T Ki Mi Gi Ti, such as 16Gi")
    return int(found[1]) * _SUFFIXES[found[2] or ""]
