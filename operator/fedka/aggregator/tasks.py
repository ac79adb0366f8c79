"""What the engine asks of the data plane."""

from dataclasses import dataclass

from fedka.aggregator.events import Key
from fedka.wire.chunks import Pointer
from fedka.wire.exact import Weight
from fedka.wire.layout import Layout


@dataclass(frozen=True, slots=True)
class Begin:
    """A new attempt: the accumulator is empty and fits the layout."""

    layout: Layout


@dataclass(frozen=True, slots=True)
class Fold:
    """Verify an update and add it; `weight` None: verify only (the first model). `max_norm` bounds its L2 norm."""

    key: Key
    topic: str
    pointer: Pointer
    layout: Layout
    weight: Weight | None
    max_norm: float | None


@dataclass(frozen=True, slots=True)
class Publish:
    """Write base + mean of exactly the updates `keys`; `weights` is the integer sum of their numerators."""

    nonce: str  # of the attempt
    keys: frozenset[Key]
    layout: Layout
    base: Pointer
    strategy: str
    weights: int
    scale: int
    resume: bool = False  # a predecessor may have published some of it


@dataclass(frozen=True, slots=True)
class Copy:
    """Write the first model as the participant gave it."""

    nonce: str
    topic: str
    pointer: Pointer
    layout: Layout


@dataclass(frozen=True, slots=True)
class Know:
    """Learn about a topic before it is needed."""

    topic: str


Task = Begin | Fold | Publish | Copy | Know
