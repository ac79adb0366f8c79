"""What records look like on the wire, apart from what is said of them: to be kept beside recorded logs."""

from typing import Any

from .arbitrary import ALL_TYPES

FORMS = "forms.json"  # beside the logs of a version
WORDS = ("title", "description")


def forms() -> dict[str, Any]:
    """The JSON schema of each type of record, by its name, without words."""
    return {kind.model_fields["type"].default: _without_words(kind.model_json_schema()) for kind in ALL_TYPES}


def _without_words(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_words(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {member: _without_words(each) for member, each in value.items()}
        if name in ("properties", "$defs")  # whose members may have any name
        else _without_words(value)
        for name, value in schema.items()
        if name not in WORDS
    }
