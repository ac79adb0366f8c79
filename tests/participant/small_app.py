"""A participant of one small numpy app, wired to memory: what tests of the loop start from."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

import fedka
from fedka.participant.announced import AnnouncedExamples
from fedka.participant.conversation import Identity
from fedka.participant.learner import Circumstances, Learner
from fedka.participant.loop import Pace, Participant
from fedka.wire import records as r

from .memory_wire import ME, MemoryWire

RUN = "consortium.fraud.1a2b3c4d"
CHUNK_BYTES = 983_040
COUNTED = 40


def steps(times: list[int] | None = None, *, evaluates: bool = True, counts: bool = True) -> fedka.App:
    """An app whose training adds the number of the round to each weight; `times` notes the rounds trained for."""
    app = fedka.App()

    @app.model
    def model(context: fedka.Context) -> dict[str, np.ndarray]:
        return {"w": np.full(4, 0.5, dtype=np.float32)}

    @app.train
    def train(model: dict[str, np.ndarray], context: fedka.Context) -> fedka.Trained:
        if times is not None:
            times.append(context.round)
        model["w"] += context.round
        return fedka.Trained(examples=COUNTED, metrics={"loss": 0.25})

    if evaluates:

        @app.evaluate
        def evaluate(model: dict[str, np.ndarray], context: fedka.Context) -> fedka.Evaluated:
            return fedka.Evaluated(examples=7, metrics={"first": model["w"][0]})

    if counts:

        @app.examples
        def examples(context: fedka.Context) -> int:
            return COUNTED

    return app


def learner_of(app: fedka.App, **config: str) -> Learner:
    logger = logging.getLogger("app")
    return Learner(app, Circumstances(participant=ME, run_seed=1, config=config, state_dir=None, logger=logger))


def participant(
    app: fedka.App,
    wire: MemoryWire,
    *,
    state_dir: Path | None = None,
    clock: Callable[[], float] = lambda: 0.0,
    refused_seconds: float = 10.0,
) -> Participant:
    """It says alive only after minutes, and tries again at once."""
    learner = learner_of(app)
    return Participant(
        Identity(run=RUN, participant=ME, instance="0" * 32, software="test"),
        learner,
        wire,
        announced=AnnouncedExamples(state_dir, learner.announced_examples()),
        clock=clock,
        pace=Pace(alive_seconds=600.0, retry_seconds=0.0, refused_seconds=refused_seconds),
    )


def on(
    kind: type[r.Record], then: Callable[[MemoryWire, r.Record, int], None]
) -> Callable[[MemoryWire, r.Record, int], None]:
    """A reaction to the first record of one kind; to others and later ones there is none."""
    seen = []

    def react(wire: MemoryWire, record: r.Record, offset: int) -> None:
        if isinstance(record, kind) and not seen:
            seen.append(record)
            then(wire, record, offset)

    return react


DONE = r.RunCompleted(reason="RoundsDone")
