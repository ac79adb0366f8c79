import logging

import numpy as np
import pytest

import fedka
from fedka.participant.context import seed_for
from fedka.participant.errors import AppMisused, AppRaised, ModelUnusable
from fedka.participant.learner import Circumstances, Learner
from fedka.wire.exact import as_coordinates

from .memory_wire import ME
from .small_app import learner_of, steps

BASE = np.array([1.0, 2.0, 3.0, 4.0], dtype=np.float32)


def receive(learner: Learner) -> None:
    learner.receive("d" * 64, [(0, BASE.tobytes())])


def update(learner: Learner) -> list[float]:
    return as_coordinates(b"".join(chunk.tobytes() for chunk in learner.update_chunks())).tolist()


def trained_by(change) -> Learner:
    """A learner that has trained once; `change(model)` is the training."""
    app = steps()

    def train(model, context):
        change(model)
        return fedka.Trained(examples=1)

    app._functions["train"] = train
    learner = learner_of(app)
    receive(learner)
    learner.train(1)
    return learner


def test_training_starts_from_the_base():
    seen = []
    trained_by(lambda model: seen.append(model["w"].tolist()))
    assert seen == [BASE.tolist()]


def test_training_twice_from_one_base_starts_anew():
    learner = learner_of(steps())
    receive(learner)
    learner.train(1)
    learner.train(1)
    assert update(learner) == [1.0] * 4


def test_the_context_names_participant_round_and_seed(tmp_path):
    contexts = []
    app = steps()

    def train(model, context):
        contexts.append(context)
        return fedka.Trained(examples=1)

    app._functions["train"] = train
    logger = logging.getLogger("app")
    config = {"epochs": "2"}
    learner = Learner(app, Circumstances(ME, run_seed=9, config=config, state_dir=tmp_path, logger=logger))
    receive(learner)
    learner.train(4)
    assert contexts == [
        fedka.Context(
            config=config, participant=ME, round=4, seed=seed_for(9, ME, 4), logger=logger, state_dir=tmp_path
        )
    ]


def test_a_model_received_in_part_is_no_base():
    learner = learner_of(steps())
    receive(learner)

    def broken():
        yield 0, BASE.tobytes()
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 its type is all there is
        learner.receive("e" * 64, broken())
    assert learner.base_digest is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda model: model.pop("w"), "tensor 'w' was float32 [4] when the model was made and is gone"),
        (lambda model: model.update(w=model["w"].astype(np.float64)), "is float64 [4] now"),
        (lambda model: model.update(w=model["w"][:2]), "is float32 [2] now"),
        (lambda model: model.update(b=np.zeros(1)), "got a new tensor 'b'"),
    ],
)
def test_a_model_that_changed_its_layout_is_refused(change, message):
    learner = trained_by(change)
    with pytest.raises(ModelUnusable) as caught:
        learner.update_chunks()
    assert message in str(caught.value)


def test_an_array_may_be_replaced_by_one_of_the_same_kind():
    learner = trained_by(lambda model: model.update(w=model["w"] + np.float32(2)))
    assert update(learner) == [2.0] * 4


def test_the_order_of_a_dict_may_change():
    app = fedka.App()

    @app.model
    def model(context):
        return {"a": np.zeros(1, np.float32), "b": np.zeros(1, np.float32)}

    @app.train
    def train(model, context):
        model["a"] = model.pop("a") + np.float32(5)
        return fedka.Trained(examples=1)

    learner = learner_of(app)
    learner.receive("d" * 64, [(0, bytes(8))])
    learner.train(1)
    assert update(learner) == [5.0, 0.0]


def test_a_model_function_that_raises_is_the_apps_fault():
    app = steps()

    def model(context):
        raise FileNotFoundError("patients.csv")

    app._functions["model"] = model
    with pytest.raises(AppRaised, match=r"the model function raised FileNotFoundError: patients\.csv"):
        learner_of(app)


def test_an_unusable_number_of_examples_is_refused():
    app = steps()

    def examples(context):
        return 0

    app._functions["examples"] = examples
    with pytest.raises(AppMisused, match="what the examples function returned is 0"):
        learner_of(app).announced_examples()
