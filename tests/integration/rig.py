"""A run without the control plane: real Kafka, a real aggregator process, participants that do as a test says.

A scripted participant speaks the wire itself, so a test can make it answer late, twice, wrongly or not at all. Its
updates are a pure function of its name, the round and the base model, so the digests of a run can be computed here,
without Kafka, and compared.
"""

import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from confluent_kafka.admin import AdminClient, NewTopic

from fedka.kafka.access import client_settings
from fedka.kafka.chunks import ChunkWriter
from fedka.kafka.ranges import RangeReader
from fedka.kafka.tail import LogRecord, LogView, Start, Tail
from fedka.kafka.writer import RecordWriter
from fedka.strategies import fedavg
from fedka.wire.bundle import DOCUMENT, Bundle, KafkaAccess
from fedka.wire.chunks import Pointer, chunk_digest, root_digest
from fedka.wire.codec import audit_decoder, encode, journal_decoder
from fedka.wire.exact import ExactSum, Weight, weight_scale
from fedka.wire.journal import JournalPosition, Verdict, judge
from fedka.wire.layout import Layout, Tensor
from fedka.wire.names import BULK_PARTITION, CONTROL_PARTITION, RunTopics
from fedka.wire.records import (
    Alive,
    AuditRecord,
    Bye,
    Commit,
    Evaluated,
    Failed,
    Hello,
    JournalRecord,
    Record,
    RoundClosed,
    RoundOpened,
    Rounds,
    Spec,
)
from fedka.wire.run_state import At, RunState, advance

Vector = npt.NDArray[np.float32]
TOPIC = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1", "retention.bytes": "-1"}
PATIENCE = 60.0
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


class Journal:
    """Follows a run's journal by the rule and lets a test wait for what it says."""

    def __init__(self, settings: dict[str, object], topics: RunTopics) -> None:
        self._position = JournalPosition()
        self._decoder = journal_decoder()
        self._changed = threading.Condition()
        self.state = RunState()
        self.records: list[JournalRecord] = []
        self.times: list[int] = []
        self.verdicts: list[Verdict] = []
        self._tail = Tail(settings, [Start(topics.journal)], deliver=self._take, trouble=lambda _: None, name="test")
        self._tail.start()

    def _take(self, record: LogRecord) -> None:
        with self._changed:
            self._position, verdict = judge(self._position, record.value)
            self.verdicts.append(verdict)
            if verdict is Verdict.VALID:
                decoded = self._decoder.decode(record.value)
                assert decoded is not None
                self.records.append(decoded)
                self.times.append(record.time_ms)
                self.state = advance(self.state, decoded, At(record.offset, record.time_ms))
            self._changed.notify_all()

    def wait(self, until: Callable[["Journal"], bool], what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: until(self), PATIENCE):
                seen = "\n".join(str(record)[:200] for record in self.records[-15:])
                raise AssertionError(f"{what} did not happen within {PATIENCE} s; the journal ends with\n{seen}")

    def of(self, kind: type[JournalRecord]) -> list[JournalRecord]:
        with self._changed:
            return [record for record in self.records if isinstance(record, kind)]

    @property
    def digests(self) -> list[str]:
        return [record.model.pointer.digest for record in self.of(RoundClosed)]  # type: ignore[attr-defined]

    def close(self) -> None:
        self._tail.close()


@dataclass
class Script:
    """What a participant does; each hook gets the participant and what it answers to."""

    examples: int = 100
    evaluates: bool = True
    train: Callable[["Participant", RoundOpened, Vector], Vector | None] | None = None
    before_upload: Callable[["Participant", RoundOpened], None] | None = None
    commit: Callable[["Participant", RoundOpened, Commit], Sequence[Record]] | None = None
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
        self._answered: set[str] = set()
        self._closing = threading.Event()
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

    def hello(self, examples: int | None = None) -> None:
        self.say(
            Hello(
                examples=examples or self.script.examples,
                layout=self.rig.layout.digest(),
                software="scripted",
                instance=secrets.token_hex(16),
                evaluates=self.script.evaluates,
            )
        )

    def say(self, record: Record) -> int:
        """Write a control record; its offset."""
        return self.writer.write_now(self.topic, CONTROL_PARTITION, encode(record)).offset

    def say_bytes(self, data: bytes) -> int:
        return self.writer.write_now(self.topic, CONTROL_PARTITION, data).offset

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
        for index, data in self._reader.read(self.rig.topics.model, 0, pointer, self.rig.layout.chunk_size):
            raw[index * size : index * size + len(data)] = np.frombuffer(data, dtype=np.uint8)
        return model

    def stop(self) -> None:
        self._closing.set()
        self._events.put(None)
        self._tail.close()
        self._thread.join()
        self._reader.close()
        self.chunks.close()
        self.writer.close()

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
        except BaseException as error:  # noqa: BLE001  the test asks for it at the end
            self.failure = error

    def _on_opened(self, opened: RoundOpened) -> None:
        if self.name not in {s.participant for s in opened.selected} or opened.nonce in self._answered:
            return
        self._answered.add(opened.nonce)
        if opened.base is None:
            update: Vector | None = first_model(self.rig.layout)
        else:
            base = self.download(opened.base.pointer)
            train = self.script.train or (lambda who, o, b: delta_of(who.name, o.round, b))
            update = train(self, opened, base)
        if update is None:
            return
        if self.script.before_upload:
            self.script.before_upload(self, opened)
        commit = self.commit_for(opened, self.upload(update))
        for record in self.script.commit(self, opened, commit) if self.script.commit else [commit]:
            self.say(record)

    def _on_closed(self, closed: RoundClosed) -> None:
        model = self.download(closed.model.pointer)
        self.say(
            Evaluated(
                run=self.rig.topics.run,
                round=closed.round,
                model=closed.model.pointer.digest,
                examples=self.script.examples,
                metrics={"mean": float(np.mean(model)), "round": float(closed.round)},
            )
        )


class AggregatorProcess:
    """A real aggregator process; `kill_at` names points at which it SIGKILLs itself, once each, in order."""

    def __init__(self, rig: "Rig") -> None:
        self._rig = rig
        self._stop = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self.exit_codes: list[int] = []

    def start(self, kill_at: Sequence[str] = ()) -> "AggregatorProcess":
        """Run, and after each death run again, until it ends by itself."""
        self._thread = threading.Thread(target=self._supervise, args=(list(kill_at),), daemon=True)
        self._thread.start()
        return self

    def spawn(self, kill_at: str = "") -> subprocess.Popen[bytes]:
        """One process, not restarted; it ends itself at `kill_at` where that is given."""
        log = (self._rig.home / "aggregator.log").open("ab")
        with log:
            return subprocess.Popen(
                [
                    sys.executable,
                    str(Path(__file__).with_name("killable_aggregator.py")),
                    str(self._rig.bundle),
                    kill_at,
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )

    def _supervise(self, kill_at: list[str]) -> None:
        while not self._stop.is_set():
            self._process = self.spawn(kill_at[0] if kill_at else "")
            code = self._process.wait()
            self.exit_codes.append(code)
            if code >= 0 or self._stop.is_set():
                return
            kill_at = kill_at[1:]

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def wait(self) -> list[int]:
        """The exit codes, once it has ended by itself."""
        assert self._thread is not None
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), f"the aggregator did not end:\n{self.log()}"
        return self.exit_codes

    def log(self) -> str:
        return (self._rig.home / "aggregator.log").read_text()

    def close(self) -> None:
        self._stop.set()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        if self._thread is not None:
            self._thread.join()


class Rig:
    """Topics, spec and bundle of one run."""

    def __init__(self, bootstrap: str, home: Path, participants: Sequence[str], *, coordinates: int = 20_000) -> None:
        self.home = home
        self.participants = tuple(participants)
        self.layout = layout_of(coordinates)
        self.topics = RunTopics(run=f"test.{secrets.token_hex(4)}.{secrets.token_hex(4)}", prefix="fedka")
        self.settings = client_settings(KafkaAccess(bootstrap_servers=bootstrap))
        self.bundle = home / "bundle"
        self._generation = 0
        self._scripted: list[Participant] = []
        self._write_bundle(bootstrap)
        self._create_topics(bootstrap)
        self.writer = RecordWriter(self.settings, name="rig")
        self.view = LogView(self.settings)
        self.journal = Journal(self.settings, self.topics)
        self.aggregator = AggregatorProcess(self)

    def _write_bundle(self, bootstrap: str) -> None:
        self.bundle.mkdir(parents=True)
        bundle = Bundle(
            role="aggregator",
            run=self.topics.run,
            training="test",
            namespace="test",
            kafka=KafkaAccess(bootstrap_servers=bootstrap),
        )
        (self.bundle / DOCUMENT).write_text(bundle.model_dump_json(by_alias=True))

    def _create_topics(self, bootstrap: str) -> None:
        shared = [self.topics.spec, self.topics.journal, self.topics.audit, self.topics.model, self.topics.state]
        new = [NewTopic(name, 1, 1, config=TOPIC) for name in shared]
        new += [NewTopic(self.topics.update(name), 2, 1, config=TOPIC) for name in self.participants]
        admin = AdminClient({"bootstrap.servers": bootstrap})
        for created in admin.create_topics(new).values():
            created.result()

    def spec(
        self, *, participants: Sequence[str] | None = None, rounds: Mapping[str, object] | None = None, **more: object
    ) -> Spec:
        """Publish the next generation of the spec."""
        self._generation += 1
        values = {"count": 3, "min_available": len(self.participants), "deadline_seconds": 60, **(rounds or {})}
        spec = Spec(
            generation=self._generation,
            participants=tuple(participants or self.participants),
            rounds=Rounds(**values),  # type: ignore[arg-type]
            **more,  # type: ignore[arg-type]
        )
        self.writer.write_now(self.topics.spec, 0, encode(spec))
        return spec

    def join(
        self, *, scripts: Mapping[str, Script] | None = None, names: Sequence[str] | None = None
    ) -> dict[str, Participant]:
        """Start scripted participants."""
        scripts = scripts or {}
        joined = {name: Participant(self, name, scripts.get(name)) for name in names or self.participants}
        self._scripted += joined.values()
        for participant in joined.values():
            participant.start()
        return joined

    def examples(self, names: Sequence[str] | None = None) -> dict[str, int]:
        """What the default scripts announce."""
        return {name: EXAMPLES.get(name, 100) for name in names or self.participants}

    def completed(self) -> RunState:
        """Wait for the end of the run."""
        self.journal.wait(lambda journal: journal.state.ended, "the end of the run")
        for participant in self._scripted:
            if participant.failure is not None:
                raise participant.failure
        return self.journal.state

    def audit(self) -> list[AuditRecord]:
        """Everything in the audit topic."""
        decoder = audit_decoder()
        found = [decoder.decode(record.value) for record in self.view.read_to_end(self.topics.audit)]
        return [record for record in found if record is not None]

    def close(self) -> None:
        self.aggregator.close()
        for participant in self._scripted:
            participant.stop()
        self.journal.close()
        self.writer.close()
        self.view.close()


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that no event tells of."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {PATIENCE} s")
        time.sleep(0.02)
