import logging
import subprocess
import sys

import pytest

import fedka
from fedka.participant.context import Context, seed_for
from fedka.participant.errors import AppMisused, AppRaised

CONTEXT = Context(config={}, participant="north", round=1, seed=7, logger=logging.getLogger("app"), state_dir=None)


def makes(context):
    return {}


def trains(model, context):
    return fedka.Trained(examples=1)


def returns_nothing(model, context):
    pass


def returns_half(model, context):
    return 0.5


def divides_by_zero(model, context):
    return 1 / 0


def complete() -> fedka.App:
    app = fedka.App()
    app.model(makes)
    app.train(trains)
    return app


def test_a_decorator_returns_the_function_itself():
    app = fedka.App()

    def model(context):
        return {}

    assert app.model(model) is model


def test_an_app_with_model_and_train_is_complete():
    complete().check()


@pytest.mark.parametrize("missing", ["model", "train"])
def test_a_missing_function_is_named(missing):
    app = complete()
    del app._functions[missing]
    with pytest.raises(AppMisused, match=f"no @app.{missing} function"):
        app.check()


def test_two_functions_for_one_role_are_refused():
    with pytest.raises(AppMisused, match=r"two @app\.train functions"):
        complete().train(trains)


def test_a_function_that_takes_something_else_is_refused_where_it_is_written():
    with pytest.raises(AppMisused, match=r"write def train\(model, context\)"):
        fedka.App().train(makes)


def test_a_decorator_with_brackets_is_pointed_out():
    with pytest.raises(AppMisused, match="without brackets"):
        fedka.App().model(None)


def test_async_functions_are_refused():
    async def train(model, context):
        pass

    with pytest.raises(AppMisused, match="is async"):
        fedka.App().train(train)


def test_training_that_returns_something_else_is_told_what_to_return():
    app = fedka.App()
    app.train(returns_nothing)
    with pytest.raises(AppMisused, match=r"train function returned None: return fedka\.Trained"):
        app.run_train({}, CONTEXT)


def test_evaluation_that_returns_something_else_is_told_what_to_return():
    app = fedka.App()
    app.evaluate(returns_half)
    with pytest.raises(
        AppMisused, match=r"evaluate function returned an object of type float: return fedka\.Evaluated"
    ):
        app.run_evaluate({}, CONTEXT)


def test_what_the_app_raises_is_kept_as_the_cause():
    app = fedka.App()
    app.train(divides_by_zero)
    with pytest.raises(AppRaised, match="the train function raised ZeroDivisionError: division by zero") as caught:
        app.run_train({}, CONTEXT)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


class OfTheApp(BaseException):
    pass


class Wordless(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (SystemExit(0), "raised SystemExit: 0"),
        (KeyboardInterrupt(), "raised KeyboardInterrupt: "),
        (OfTheApp("x"), "raised OfTheApp: x"),
        (Wordless(), r"raised Wordless: \(its message cannot be had: RuntimeError\)"),
    ],
)
def test_whatever_the_app_raises_is_an_answer(raised, message):
    def train(model, context):
        raise raised

    app = fedka.App()
    app.train(train)
    with pytest.raises(AppRaised, match=message):
        app.run_train({}, CONTEXT)


FORKS = """
import os, fedka
app = fedka.App()
@app.train
def train(model, context):
    if os.fork() == 0:
        {child}
    os.wait()
    return fedka.Trained(examples=1)
app.run_train({{}}, None)
print("went on", flush=True)
"""


@pytest.mark.parametrize("child", ["return fedka.Trained(examples=1)", "raise ValueError"])
def test_a_forked_copy_that_comes_back_does_not_go_on_as_the_participant(child):
    done = subprocess.run(
        [sys.executable, "-c", FORKS.format(child=child)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "went on\n"
    assert "a process that the train function has forked returned from it and is ended" in done.stderr


def test_a_seed_depends_on_run_participant_and_round():
    seeds = {seed_for(run, name, number) for run in (1, 2) for name in ("a", "b") for number in (0, 1, 2)}
    assert len(seeds) == 12
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_a_seed_is_the_same_for_ever():
    assert seed_for(42, "north", 3) == 2771239759


def test_importing_fedka_loads_nothing_heavy():
    heavy = "{'numpy', 'pydantic', 'torch', 'confluent_kafka', 'blake3'}"
    code = f"import sys, fedka; assert not {heavy} & set(sys.modules), set(sys.modules); assert 'App' in dir(fedka)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_writing_an_app_loads_neither_torch_nor_kafka():
    code = "import sys, fedka; fedka.App(); assert not {'torch', 'confluent_kafka'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Server'"):
        _ = fedka.Server
