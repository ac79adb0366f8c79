"""What to say of the names that there are, where somebody gave one that there is not."""

import difflib
from collections.abc import Sequence

MOST_NAMES = 10
MOST_MEANT = 3


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """`did you mean a or b?` of those that look like it; empty where none does."""
    near = difflib.get_close_matches(name, known, n=MOST_MEANT)
    return f"did you mean {' or '.join(near)}?" if near else ""


def there_are(known: Sequence[str]) -> str:
    """`there are: a, b, ...` of the first of them."""
    return f"there are: {', '.join(known[:MOST_NAMES])}{', ...' if len(known) > MOST_NAMES else ''}"
