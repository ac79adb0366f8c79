"""Models and updates of scripted participants, and the digests that a run must come to, computed without Kafka."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fedka.strategies import fedavg
from fedka.wire.chunks import chunk_digest, root_digest
from fedka.wire.exact import ExactSum, Weight, weight_scale
from fedka.wire.layout import Layout, Tensor

Vector = npt.NDArray[np.float32]
EXAMPLES = {"a": 100, "b": 57, "c": 311, "d": 8, "e": 1000}


def layout_of(coordinates: int, chunk_bytes: int = 16_384) -> Layout:
    """One tensor of float32; small chunks, so that an upload has several."""
    return Layout(tensors=(Tensor(name="w", dtype="float32", shape=(coordinates,)),), chunk_bytes=chunk_bytes)


def first_model(layout: Layout) -> Vector:
    """The model that any participant gives in round 0."""
    return np.linspace(-1, 1, layout.coordinates, dtype=np.float32)


def delta_of(name: str, round_number: int, base: Vector) -> Vector:
    """The update of a participant: depends on the base, so that one wrong round spoils all later ones."""
    rng = np.random.default_rng([round_number, *name.encode()])
    noise = rng.normal(scale=0.01, size=base.size).astype(np.float32)
    return (noise - np.float32(0.1) * base).astype(np.float32)


def chunks_of(vector: Vector, layout: Layout) -> list[npt.NDArray[np.uint8]]:
    """A flat model or update, cut by the layout."""
    raw = np.ascontiguousarray(vector).view(np.uint8)
    size = layout.chunk_bytes
    return [raw[i * size : i * size + layout.chunk_size(i)] for i in range(layout.chunk_count)]


def digest_of(vector: Vector, layout: Layout) -> str:
    """The root digest that a model has in the journal."""
    return root_digest(chunk_digest(chunk.data) for chunk in chunks_of(vector, layout))


def mean_step(layout: Layout, base: Vector, updates: Mapping[str, tuple[Vector, int]], scale: int) -> Vector:
    """The model after `base` with these updates and weight numerators."""
    total = ExactSum(layout)
    for delta, numerator in updates.values():
        for index, chunk in enumerate(chunks_of(delta, layout)):
            total.add(index, chunk.view(np.float32), Weight(numerator, scale))
    weights = sum(numerator for _, numerator in updates.values())
    mean = np.concatenate([total.mean(i, weights=weights, scale=scale) for i in range(layout.chunk_count)])
    return fedavg.step(base, mean)


@dataclass(frozen=True)
class Accepted:
    """The updates that a round accepted, by name with their examples; of whom they were asked and what those said."""

    examples: Mapping[str, int]
    announced: Mapping[str, int] | None = None  # by all who were asked; those accepted by default
    uniform: bool = False


def expected_digests(layout: Layout, accepted: Sequence[Mapping[str, int] | Accepted | None]) -> list[str]:
    """Digests after round 0, 1, ... where round r accepted these participants; None stands for a skipped number."""
    model = first_model(layout)
    digests = [digest_of(model, layout)]
    for number, given in enumerate(accepted, start=1):
        if given is None:
            continue
        taken = given if isinstance(given, Accepted) else Accepted(given)
        scale = 1 if taken.uniform else weight_scale(list((taken.announced or taken.examples).values()))
        updates = {
            name: (delta_of(name, number, model), 1 if taken.uniform else min(examples, scale))
            for name, examples in taken.examples.items()
        }
        model = mean_step(layout, model, updates, scale)
        digests.append(digest_of(model, layout))
    return digests
