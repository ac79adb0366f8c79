"""What pydantic's own JSON schema cannot say about a field and a Kubernetes API server must know.

The models are the only source of the CRD. Rules in CEL, list-map keys and number-or-percentage fields therefore stand
beside the field they belong to, as the small typed values of this module, and the generator needs no table of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

Schema = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """One CEL rule, run by the API server at the schema level it is attached to.

    `message` says what is wrong and what is right; at the root of the resource it begins with the field's path, because
    the server can print none there. `field_path` names the member to blame, relative to that level (`.app`).
    A rule that mentions `oldSelf` runs on updates only.
    """

    rule: str
    message: str
    field_path: str = ""

    def as_schema(self) -> Schema:
        """The entry of `x-kubernetes-validations`."""
        entry = {"rule": self.rule, "message": self.message}
        return entry | {"fieldPath": self.field_path} if self.field_path else entry


def rules(*entries: Rule) -> Schema:
    """The `json_schema_extra` of a model or field that carries CEL rules."""
    return {"x-kubernetes-validations": [entry.as_schema() for entry in entries]}


IMMUTABLE = "is immutable: restore the old value, or create a training under a new name"


def immutable() -> Schema:
    """A rule that forbids any change, for a field that is required or has a default.

    Any other could be changed by removing it first, which no transition rule sees.
    """
    return rules(Rule("self == oldSelf", IMMUTABLE))


@dataclass(frozen=True)
class ListMap:
    """A list whose items are told apart by one member, as server-side apply merges them; two alike are refused."""

    key: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Adds the check for duplicates after the list's own."""
        return core_schema.no_info_after_validator_function(self._refuse_duplicates, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Adds the list type and its key."""
        return {**handler(schema), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [self.key]}

    def _refuse_duplicates(self, items: Sequence[Any]) -> Sequence[Any]:
        seen: set[str] = set()
        for item in items:
            value = str(getattr(item, self.key))
            if value in seen:
                raise PydanticCustomError(
                    "duplicate", "two items have the {key} {value}", {"key": self.key, "value": value}
                )
            seen.add(value)
        return items


@dataclass(frozen=True)
class NumberOrPercent:
    """An integer from `least` to `most`, or a string from `<least>%` to `100%`.

    The API server applies the bounds to numbers and the pattern to strings; a CEL rule would see neither value.
    """

    least: int
    most: int

    @property
    def pattern(self) -> str:
        """What a string must match, in the syntax RE2 and Python share."""
        return "^([1-9][0-9]?|100)%$" if self.least else "^([0-9]|[1-9][0-9]|100)%$"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accepts exactly an int or a str; no coercion between them."""
        del source, handler
        return core_schema.union_schema(
            [
                core_schema.int_schema(strict=True, ge=self.least, le=self.most),
                core_schema.str_schema(strict=True, pattern=self.pattern, max_length=4),
            ]
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The one form that a structural schema allows."""
        del schema, handler
        return {
            "x-kubernetes-int-or-string": True,
            "minimum": self.least,
            "maximum": self.most,
            "pattern": self.pattern,
            "maxLength": 4,
        }


def preserve_unknown() -> Schema:
    """Members that are not declared pass and are kept, at this level of the object."""
    return {"x-kubernetes-preserve-unknown-fields": True}
