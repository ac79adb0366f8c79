"""Federated learning on Kubernetes with Kafka as the only wire.

The names that an app needs are found here. They are loaded when first asked for, so that `import fedka` costs nothing
in processes that do not run an app.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fedka.participant.app import App
    from fedka.participant.context import Context
    from fedka.participant.results import Evaluated, Trained

__all__ = ["App", "Context", "Evaluated", "Trained"]

_HOMES = {
    "App": "fedka.participant.app",
    "Context": "fedka.participant.context",
    "Evaluated": "fedka.participant.results",
    "Trained": "fedka.participant.results",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
