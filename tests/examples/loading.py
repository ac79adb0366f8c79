"""An example's modules as its own programs find them: by plain names, which other examples have too."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


@contextlib.contextmanager
def importable(directory: Path) -> Iterator[None]:
    """Make them importable, and forget them afterwards."""
    path = list(sys.path)
    sys.path.insert(0, str(directory))
    try:
        yield
    finally:
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(f"{directory}/"):
                del sys.modules[name]
