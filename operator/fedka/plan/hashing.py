"""A short hash of a JSON value, to tell whether what was made is still what is wanted."""

import json
from typing import Any

from blake3 import blake3


def digest(value: Any) -> str:
    """16 hex digits over the canonical JSON."""
    return blake3(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]
