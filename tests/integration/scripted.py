"""A participant that speaks the wire itself and does as a test says: late, twice, wrongly or not at all.

Its updates are a pure function of its name, the round and the base model (`vectors.delta_of`).
"""

import queue
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fedka.kafka.chunks import ChunkWriter
from fedka.kafka.log_record import LogRecord, Start
from fedka.kafka.ranges import RangeReader
from fedka.kafka.tail import Tail
from fedka.kafka.writer import RecordWriter, Written
from fedka.wire.chunks import Pointer
from fedka.wire.codec import encode, journal_decoder
from fedka.wire.journal import JournalPosition, Verdict, judge
from fedka.wire.layout import Layout
from fedka.wire.names import BULK_PARTITION, CONTROL_PARTITION
from fedka.wire.records import (
    Alive,
    Bye,
    Commit,
    Evaluated,
    Failed,
    Hello,
    JournalRecord,
    Record,
    RoundClosed,
    RoundOpened,
)

from .followed_journal import eventually
from .vectors import EXAMPLES, Vector, chunks_of, delta_of, first_model

if TYPE_CHECKING:
    from .rig import Rig


class Killed(Exception):
    pass


@dataclass
class Script:
    """What a participant does; each hook gets the participant and what it answers to."""

    examples: int = 100
    evaluates: bool = True
    layout: Layout | None = None  # that of the rig by default
    first: Callable[["Participant", RoundOpened], Vector | None] | None = None
    train: Callable[["Participant", RoundOpened, Vector], Vector | None] | None = None
    before_upload: Callable[["Participant", RoundOpened], None] | None = None
    commit: Callable[["Participant", RoundOpened, Commit], Sequence[Record]] | None = None
    evaluate: Callable[["Participant", RoundClosed], dict[str, float] | None] | None = None
    metrics: Callable[["Participant", RoundOpened], dict[str, float]] = field(
        default=lambda who, opened: {"loss": 1.0 / (1 + opened.round) + len(who.name)}
    )


class Participant:
    """A participant in a thread: follows the journal, trains by `delta_of`, uploads, commits, evaluates."""

    def __init__(self, rig: "Rig", name: str, script: Script | None = None) -> None:
        self.rig = rig
        self.name = name
        self.script = script or Script(examples=EXAMPLES.get(name, 100))
        self.topic = rig.topics.update(name)
        self.writer = RecordWriter(rig.settings, name=f"p-{name}")
        self.chunks = ChunkWriter(rig.settings, name=f"p-{name}")
        self._reader = RangeReader(rig.settings, name=f"p-{name}")
        self._events: queue.SimpleQueue[JournalRecord | None] = queue.SimpleQueue()
        self._position = JournalPosition()
        self._decoder = journal_decoder()
        self._begun: set[str] = set()
        self._uploaded: dict[int, Pointer] = {}  # by round: a retry commits the same upload again
        self._closing = threading.Event()
        self.answered: set[int] = set()  # rounds
        self.ended = threading.Event()
        self.failure: BaseException | None = None
        self._tail = Tail(
            rig.settings, [Start(rig.topics.journal)], deliver=self._take, trouble=lambda _: None, name=f"p-{name}"
        )
        self._thread = threading.Thread(target=self._run, name=f"participant-{name}", daemon=True)

    def start(self) -> "Participant":
        self.hello()
        self._thread.start()
        self._tail.start()
        return self

    def greeting(self, examples: int | None = None) -> Hello:
        return Hello(
            examples=examples or self.script.examples,
            layout=(self.script.layout or self.rig.layout).digest(),
            software="scripted",
            instance=secrets.token_hex(16),
            evaluates=self.script.evaluates,
        )

    def hello(self, examples: int | None = None) -> int:
        """Its offset."""
        return self.say(self.greeting(examples)).offset

    def say(self, record: Record) -> Written:
        return self.say_bytes(encode(record))

    def say_bytes(self, data: bytes) -> Written:
        return self.writer.write_now(self.topic, CONTROL_PARTITION, data)

    def wait_for_broker_time(self, time_ms: int) -> None:
        """Until the broker stamps records with a time of at least this."""
        eventually(lambda: self.say(Alive()).time_ms >= time_ms, f"broker time {time_ms}")

    def alive(self) -> None:
        self.say(Alive())

    def bye(self) -> None:
        self.say(Bye())

    def upload(self, vector: Vector) -> Pointer:
        return self.chunks.upload(
            self.topic, BULK_PARTITION, chunks_of(vector, self.rig.layout), upload=secrets.token_bytes(16)
        )

    def commit_for(self, opened: RoundOpened, update: Pointer, **changes: object) -> Commit:
        first = opened.round == 0
        values: dict[str, object] = {
            "run": self.rig.topics.run,
            "round": opened.round,
            "attempt": opened.attempt,
            "nonce": opened.nonce,
            "base": opened.base.pointer.digest if opened.base else None,
            "layout": self.rig.layout.digest(),
            "examples": self.script.examples,
            "update": update,
            "metrics": self.script.metrics(self, opened),
            "definition": self.rig.layout if first else None,
            **changes,
        }
        return Commit(**values)  # type: ignore[arg-type]

    def failed_for(self, opened: RoundOpened, message: str) -> Failed:
        return Failed(
            run=self.rig.topics.run, round=opened.round, attempt=opened.attempt, nonce=opened.nonce, message=message
        )

    def download(self, pointer: Pointer) -> Vector:
        model = np.empty(self.rig.layout.coordinates, dtype=np.float32)
        raw, size = model.view(np.uint8), self.rig.layout.chunk_bytes
        for index, data in self._reader.read(self.rig.topics.model, 0, pointer, self.rig.layout):
            raw[index * size : index * size + len(data)] = np.frombuffer(data, dtype=np.uint8)
        return model

    def forget_uploads(self) -> None:
        """Train and upload anew where a round is tried again."""
        self._uploaded.clear()

    def stop(self) -> None:
        self._closing.set()
        self._events.put(None)
        self._tail.stop()
        self._thread.join()
        self.writer.close()
        self._reader.close()
        self.chunks.close()
        self._tail.close()

    def _take(self, record: LogRecord) -> None:
        self._position, verdict = judge(self._position, record.value)
        if verdict is Verdict.VALID and (decoded := self._decoder.decode(record.value)) is not None:
            self._events.put(decoded)

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                event = self._events.get()
                if isinstance(event, RoundOpened):
                    self._on_opened(event)
                elif isinstance(event, RoundClosed) and event.evaluate and self.script.evaluates:
                    self._on_closed(event)
        except Killed:
            return
        except BaseException as error:  # noqa: BLE001  the test asks for it at the end
            self.failure = error
        finally:
            self.ended.set()

    def _on_opened(self, opened: RoundOpened) -> None:
        if self.name not in {s.participant for s in opened.selected} or opened.nonce in self._begun:
            return
        self._begun.add(opened.nonce)
        pointer = self._uploaded.get(opened.round) or self._train_and_upload(opened)
        if pointer is None:
            return
        self._uploaded[opened.round] = pointer
        commit = self.commit_for(opened, pointer)
        for record in self.script.commit(self, opened, commit) if self.script.commit else [commit]:
            self.say(record)
        self.answered.add(opened.round)

    def _train_and_upload(self, opened: RoundOpened) -> Pointer | None:
        if opened.base is None:
            update = self.script.first(self, opened) if self.script.first else first_model(self.rig.layout)
        else:
            base = self.download(opened.base.pointer)
            train = self.script.train or (lambda who, o, b: delta_of(who.name, o.round, b))
            update = train(self, opened, base)
        if update is None:
            return None
        if self.script.before_upload:
            self.script.before_upload(self, opened)
        return self.upload(update)

    def _on_closed(self, closed: RoundClosed) -> None:
        model = self.download(closed.model.pointer)
        metrics: dict[str, float] | None = {"mean": float(np.mean(model)), "round": float(closed.round)}
        if self.script.evaluate:
            metrics = self.script.evaluate(self, closed)
        if metrics is None:
            return
        self.say(
            Evaluated(
                run=self.rig.topics.run,
                round=closed.round,
                model=closed.model.pointer.digest,
                examples=self.script.examples,
                metrics=metrics,
            )
        )
