"""Models and updates of scripted participants, and the digests that a run must come to, computed without Kafka."""

from collections.abc import Mapping, Sequence

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


def expected_digests(layout: Layout, accepted: Sequence[Mapping[str, int]]) -> list[str]:
    """Digests after round 0, 1, ... where round r accepted these participants with these examples."""
    model = first_model(layout)
    digests = [digest_of(model, layout)]
    for number, participants in enumerate(accepted, start=1):
        scale = weight_scale(list(participants.values()))
        total = ExactSum(layout)
        for name, examples in participants.items():
            delta = delta_of(name, number, model)
            weight = Weight(min(examples, scale), scale)
            for index, chunk in enumerate(chunks_of(delta, layout)):
                total.add(index, chunk.view(np.float32), weight)
        weights = sum(min(examples, scale) for examples in participants.values())
        mean = np.concatenate([total.mean(i, weights=weights, scale=scale) for i in range(layout.chunk_count)])
        model = fedavg.step(model, mean)
        digests.append(digest_of(model, layout))
    return digests
