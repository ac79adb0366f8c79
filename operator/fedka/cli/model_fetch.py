"""The newest global model out of Kafka, into a file: found by the journal, verified by its digest, never held whole."""

from pathlib import Path

from fedka.cli.safetensors_file import SafetensorsFile
from fedka.kafka.access import Settings
from fedka.kafka.ranges import RangeReader
from fedka.kafka.tail import LogView
from fedka.wire.codec import MalformedRecord, journal_decoder
from fedka.wire.journal import JournalPosition, Verdict, judge
from fedka.wire.names import RunTopics
from fedka.wire.run_state import At, RunState, advance


class NoModel(Exception):
    """The run has not made a global model."""


def fetch_model(settings: Settings, topics: RunTopics, training: str, file: Path) -> str:
    """Write the newest global model of a run to `file`; its root digest.

    The chunks come in any order and are written where they belong, so memory is flat. The file appears under its name
    only once it is whole. Blocks. Raises NoModel or a KafkaError.
    """
    state = read_state(settings, topics)
    if state.model is None or state.layout is None:
        raise NoModel(f"run {topics.run} has made no global model yet: there is nothing to write to {file}")
    layout, pointer = state.layout, state.model.pointer
    notes = {"training": training, "run": topics.run, "round": str(state.model.round), "blake3": pointer.digest}
    reader = RangeReader(settings, name="fedka-model-reader")
    try:
        with SafetensorsFile(file, layout, notes) as out:
            for index, chunk in reader.read(topics.model, 0, pointer, layout.chunk_size):
                out.write(index * layout.chunk_bytes // 4, chunk)
    finally:
        reader.close()
    return pointer.digest


def read_state(settings: Settings, topics: RunTopics) -> RunState:
    """What a run's journal says up to its end. Blocks."""
    view = LogView(settings, name="fedka-journal-reader")
    try:
        records = view.read_to_end(topics.journal)
    finally:
        view.close()
    position, state, decoder = JournalPosition(), RunState(), journal_decoder()
    for record in records:
        position, verdict = judge(position, record.value)
        if verdict is not Verdict.VALID:
            continue
        try:
            said = decoder.decode(record.value)
        except MalformedRecord:
            continue  # it exists by position, but says nothing that this version understands
        if said is not None:
            state = advance(state, said, At(record.offset, record.time_ms))
    return state
