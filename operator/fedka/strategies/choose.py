"""The strategies by the names that the resource and the journal give them. A new one is one new file and one line here.

Every name stays for as long as runs of it may be replayed: the journal of each says which one it was.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from fedka.strategies import fedavg

Step = Callable[[npt.NDArray[np.float32], npt.NDArray[np.float64]], npt.NDArray[np.float32]]
"""(base, mean of the updates), both of shape (n,), to the new model's coordinates; each coordinate by itself."""

STEPS: Mapping[str, Step] = MappingProxyType(
    {
        "FedAvg": fedavg.step,
    }
)


class StrategyUnknown(ValueError):
    """A strategy that this version does not have."""


def step_of(strategy: str) -> Step:
    """How this strategy makes a new model. Raises StrategyUnknown."""
    if strategy not in STEPS:
        known = ", ".join(STEPS)
        raise StrategyUnknown(f"this version of Fedka knows no strategy {strategy}, only {known}: use one that does")
    return STEPS[strategy]
