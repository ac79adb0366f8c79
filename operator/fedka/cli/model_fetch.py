"""A global model out of Kafka, into a file: found by the journal, verified by its digest, never held whole."""

from asyncio import CancelledError
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from fedka.cli.apart import apart
from fedka.cli.journal_read import Past, read_past
from fedka.cli.safetensors_file import SafetensorsFile, part_of
from fedka.kafka.access import Settings
from fedka.kafka.errors import ChunksGone, NoSuchOffset
from fedka.kafka.log_view import LogView
from fedka.kafka.ranges import RangeReader
from fedka.wire.names import RunTopics
from fedka.wire.records import ModelRef

GoesOn = Callable[[], bool]


class NoModel(Exception):
    """The run has not made that global model, or it is no longer in Kafka."""


class NoLongerWanted(Exception):
    """Whoever wanted the model has left."""


async def fetched(file: Path, fetch: Callable[[GoesOn], ModelRef]) -> ModelRef:
    """What `fetch` returns, a call of `fetch_model` that writes to `file`. A caller that is cancelled does not wait for
    Kafka, and nothing is left behind.
    """
    left = Event()
    try:
        return await apart(lambda: fetch(lambda: not left.is_set()))
    except CancelledError:
        left.set()
        part_of(file).unlink(missing_ok=True)
        raise


def fetch_model(
    settings: Settings,
    topics: RunTopics,
    training: str,
    file: Path,
    *,
    round_number: int | None = None,
    principal: str | None = None,
    goes_on: GoesOn = lambda: True,
) -> ModelRef:
    """Write a run's global model to `file`: that of a round, or the newest.

    The chunks come in any order, are verified and written where they belong, so memory is flat. The file appears under
    its name only once it is whole. Blocks. Raises NoModel or a KafkaError, and NoLongerWanted once `goes_on` says no.
    """
    past = read_past(settings, topics, principal)
    model, layout = _wanted(settings, past, topics, round_number), past.state.layout
    if layout is None:
        raise NoModel(f"run {topics.run} has not said what its model looks like: there is nothing to write to {file}")
    notes = {"training": training, "run": topics.run, "round": str(model.round), "blake3": model.pointer.digest}
    _check(goes_on)
    reader = RangeReader(settings, name="fedka-model-reader")
    try:
        with SafetensorsFile(file, layout, notes) as out:
            for index, chunk in reader.read(topics.model, 0, model.pointer, layout):
                _check(goes_on)
                out.write(index * layout.chunk_bytes // 4, chunk)
    except (ChunksGone, NoSuchOffset) as error:
        raise NoModel(
            f"the model of round {model.round} is no longer in Kafka: {_retained(settings, topics, past)}; "
            "spec.rounds.modelHistoryLimit says how many are kept"
        ) from error
    finally:
        reader.close()
    return model


def _check(goes_on: GoesOn) -> None:
    if not goes_on():
        raise NoLongerWanted


def _wanted(settings: Settings, past: Past, topics: RunTopics, round_number: int | None) -> ModelRef:
    if past.state.model is None:
        raise NoModel(f"run {topics.run} has made no global model yet")
    if round_number is None:
        return past.state.model
    if round_number not in past.models:
        raise NoModel(
            f"round {round_number} of run {topics.run} has made no global model; the newest is that of round "
            f"{past.state.model.round}: {_retained(settings, topics, past)}"
        )
    return past.models[round_number]


def _retained(settings: Settings, topics: RunTopics, past: Past) -> str:
    """The rounds whose models are still there, in words."""
    view = LogView(settings, name="fedka-model-view")
    try:
        first, _ = view.watermarks(topics.model)
    finally:
        view.close()
    rounds = sorted(number for number, model in past.models.items() if min(model.pointer.offsets()) >= first)
    return f"retained are those of rounds {_spans(rounds)}" if rounds else "none is retained"


def _spans(numbers: Sequence[int]) -> str:
    """`0, 5-7` for 0, 5, 6, 7."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join("-".join(str(end) for end in span) for span in spans)
