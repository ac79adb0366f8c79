"""Federated averaging in one process, in plain Python: what a run over Kafka must equal, round by round.

It uses the app's own functions and the exact sum's arithmetic, but no topic, record, thread or process of Fedka. The
participants are asked in order of their names; the result does not depend on that order.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fedka.participant.app import App
from fedka.participant.learner import Circumstances, Learner
from fedka.participant.results import count_examples
from fedka.strategies.fedavg import step
from fedka.wire.chunks import chunk_digest, root_digest
from fedka.wire.exact import ExactSum, Weight, as_coordinates, weight_numerator, weight_scale
from fedka.wire.layout import Layout


@dataclass(frozen=True)
class ReferenceModel:
    """The global model of a round; round 0 is the first model. `coordinates` is float32, flat."""

    round: int
    digest: str
    coordinates: npt.NDArray[np.float32]


def reference_run(
    app: App[Any],
    participants: Mapping[str, Mapping[str, str]],
    *,
    seed: int,
    rounds: int,
    weighting: Literal["Examples", "Uniform"] = "Examples",
    first: str | None = None,
) -> list[ReferenceModel]:
    """The global models of rounds 0 to `rounds` when every participant answers every round.

    `participants` has each one's merged configuration by name; `first` gives the first model, by default the first
    name in order.
    """
    learners = {name: _learner(app, name, participants[name], seed) for name in sorted(participants)}
    announced = {name: learner.announced_examples() or 1 for name, learner in learners.items()}
    giver = learners[first or min(learners)]
    layout = giver.layout
    model = np.concatenate([as_coordinates(chunk.tobytes()) for chunk in giver.model_chunks()])
    models = [ReferenceModel(0, digest_of(model, layout), model)]
    for number in range(1, rounds + 1):
        model, trained_on = _round(number, models[-1], learners, announced, uniform=weighting == "Uniform")
        models.append(ReferenceModel(number, digest_of(model, layout), model))
        announced = {name: max(announced[name], trained_on[name]) for name in learners}
    return models


def model_chunks(model: npt.NDArray[np.float32], layout: Layout) -> list[bytes]:
    """The chunks in which a model travels."""
    data = model.astype("<f4").tobytes()
    return [data[start : start + layout.chunk_bytes] for start in range(0, len(data), layout.chunk_bytes)]


def digest_of(model: npt.NDArray[np.float32], layout: Layout) -> str:
    """The root digest of a model, as its pointer carries it."""
    return root_digest(chunk_digest(chunk) for chunk in model_chunks(model, layout))


def _learner(app: App[Any], name: str, config: Mapping[str, str], seed: int) -> Learner:
    logger = logging.getLogger("app")
    return Learner(app, Circumstances(participant=name, run_seed=seed, config=config, state_dir=None, logger=logger))


def _round(
    number: int, base: ReferenceModel, learners: Mapping[str, Learner], announced: Mapping[str, int], *, uniform: bool
) -> tuple[npt.NDArray[np.float32], dict[str, int]]:
    layout = next(iter(learners.values())).layout
    total = ExactSum(layout)
    scale = 1 if uniform else weight_scale(list(announced.values()))
    weights = 0
    trained_on = {}
    for name, learner in learners.items():
        learner.receive(base.digest, enumerate(model_chunks(base.coordinates, layout)))
        trained_on[name] = count_examples(learner.train(number))
        numerator = weight_numerator(trained_on[name], announced[name], scale, uniform=uniform)
        weights += numerator
        for index, chunk in enumerate(learner.update_chunks()):
            total.add(index, as_coordinates(chunk.tobytes()), Weight(numerator, scale))
    means = [total.mean(index, weights=weights, scale=scale) for index in range(layout.chunk_count)]
    return step(base.coordinates, np.concatenate(means)), trained_on
