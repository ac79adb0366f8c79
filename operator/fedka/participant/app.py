"""The app that a user writes: plain functions, registered with decorators, no base class to inherit.

app = fedka.App(config=MyConfig)

@app.model
def model(context): ...            # -> torch.nn.Module, or dict[str, np.ndarray]; called once per process
@app.train
def train(model, context): ...     # changes the model in place -> fedka.Trained
@app.evaluate
def evaluate(model, context): ...  # optional -> fedka.Evaluated
@app.examples
def examples(context): ...         # optional -> int: lets the first round weigh this participant rightly
"""

import inspect
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, Generic, NoReturn, TypeVar, overload

from fedka.exit_codes import FAILED
from fedka.participant.config import check_config_type
from fedka.participant.context import Context
from fedka.participant.errors import AppMisused, AppRaised, Interrupted
from fedka.participant.results import Evaluated, Trained

LOGGER = logging.getLogger("fedka.participant")
ConfigT = TypeVar("ConfigT")
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class App(Generic[ConfigT]):
    """A participant's side of a training.

    `config` is a dataclass or a pydantic model that `spec.app.config` and `spec.participants[].config` must fit;
    without it the functions get the strings as they stand. Mistakes raise AppMisused.
    """

    @overload
    def __init__(self: "App[Mapping[str, str]]", config: None = None) -> None: ...
    @overload
    def __init__(self: "App[ConfigT]", config: type[ConfigT]) -> None: ...
    def __init__(self, config: type[Any] | None = None) -> None:
        check_config_type(config)
        self.config_type = config
        self._functions: dict[str, Callable[..., Any]] = {}

    def model(self, function: FunctionT) -> FunctionT:
        """Register `(context) -> model`: a torch module or a dict of numpy arrays, with its first weights."""
        return self._register("model", function, ("context",))

    def train(self, function: FunctionT) -> FunctionT:
        """Register `(model, context) -> Trained`, which changes the model in place."""
        return self._register("train", function, ("model", "context"))

    def evaluate(self, function: FunctionT) -> FunctionT:
        """Register `(model, context) -> Evaluated`, which leaves the model as it is. Optional."""
        return self._register("evaluate", function, ("model", "context"))

    def examples(self, function: FunctionT) -> FunctionT:
        """Register `(context) -> int`, the number of training examples here; cheap, called once at start. Optional.

        An update counts at most for as many examples as were announced before its round. Without this function the
        number is known only once the first training has returned it, so in the first round each counts for one.
        """
        return self._register("examples", function, ("context",))

    @property
    def evaluates(self) -> bool:
        """Whether there is an evaluate function."""
        return "evaluate" in self._functions

    @property
    def counts_examples(self) -> bool:
        """Whether there is an examples function."""
        return "examples" in self._functions

    def check(self) -> None:
        """Raise AppMisused where a function is missing without which nobody can take part."""
        for role in ("model", "train"):
            if role not in self._functions:
                raise AppMisused(f"the app has no @app.{role} function: decorate one with @app.{role}")

    def run_model(self, context: Context[Any]) -> Any:
        """The model as the app builds it. Raises AppRaised, or AppMisused where the app broke a rule of its API."""
        return self._run("model", context)

    def run_train(self, model: Any, context: Context[Any]) -> Trained:
        """Train. Raises AppRaised, or AppMisused where the app broke a rule or returned the wrong thing."""
        result = self._run("train", model, context)
        if not isinstance(result, Trained):
            raise AppMisused(
                f"the train function returned {_kind(result)}: "
                'return fedka.Trained(examples=..., metrics={"loss": ...}) and change the model in place'
            )
        return result

    def run_evaluate(self, model: Any, context: Context[Any]) -> Evaluated:
        """Evaluate, with the same errors as `run_train`."""
        result = self._run("evaluate", model, context)
        if not isinstance(result, Evaluated):
            raise AppMisused(
                f"the evaluate function returned {_kind(result)}: "
                'return fedka.Evaluated(examples=..., metrics={"accuracy": ...})'
            )
        return result

    def run_examples(self, context: Context[Any]) -> Any:
        """Whatever the examples function returns. Raises AppRaised."""
        return self._run("examples", context)

    def _run(self, role: str, *arguments: Any) -> Any:
        process = os.getpid()
        try:
            return self._functions[role](*arguments)
        except (AppMisused, Interrupted):
            raise
        except BaseException as error:  # sys.exit in an app's function must not end the participant
            raise AppRaised(role, error) from error
        finally:
            if os.getpid() != process:
                _end_copy(role)

    def _register(self, role: str, function: FunctionT, arguments: tuple[str, ...]) -> FunctionT:
        wanted = f"def {role}({', '.join(arguments)})"
        if not callable(function):
            raise AppMisused(f"@app.{role} was given {function!r}: write @app.{role} above {wanted}, without brackets")
        if inspect.iscoroutinefunction(function):
            raise AppMisused(f"the {role} function is async: write a plain {wanted}")
        if role in self._functions:
            raise AppMisused(f"the app has two @app.{role} functions: keep one")
        try:
            inspect.signature(function).bind(*arguments)
        except TypeError as error:
            raise AppMisused(f"the {role} function does not take what it is given ({error}): write {wanted}") from None
        self._functions[role] = function
        return function


def _end_copy(role: str) -> NoReturn:
    """End a process that the app has forked and that came back here: it is no participant, and has no connection."""
    LOGGER.error("a process that the %s function has forked returned from it and is ended: call os._exit() there", role)
    os._exit(FAILED)


def _kind(result: object) -> str:
    return "None" if result is None else f"an object of type {type(result).__name__}"
