"""A run without the control plane: real Kafka, a real aggregator process, participants that do as a test says."""

import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from fedka.kafka.access import client_settings
from fedka.kafka.log_view import LogView
from fedka.kafka.writer import RecordWriter
from fedka.wire.bundle import DOCUMENT, Bundle, KafkaAccess
from fedka.wire.codec import audit_decoder, encode
from fedka.wire.names import RunTopics
from fedka.wire.records import AuditRecord, RoundClosed, RoundClosing, RoundOpened, Rounds, Spec, UpdateAudited
from fedka.wire.run_state import RunState

from .aggregator_process import AggregatorProcess
from .followed_journal import Journal, eventually
from .scripted import Participant, Script
from .topics import create_topics
from .vectors import EXAMPLES, Accepted, expected_digests, layout_of


class Rig:
    """Topics, spec and bundle of one run."""

    def __init__(self, bootstrap: str, home: Path, participants: Sequence[str], *, coordinates: int = 20_000) -> None:
        self.home = home
        self.bootstrap = bootstrap
        self.participants = tuple(participants)
        self.layout = layout_of(coordinates)
        self.topics = RunTopics(run=f"test.{secrets.token_hex(4)}.{secrets.token_hex(4)}", prefix="fedka")
        self.settings = client_settings(KafkaAccess(bootstrap_servers=bootstrap))
        self.bundle = home / "bundle"
        self._generation = 0
        self.scripted: list[Participant] = []
        self._write_bundle(bootstrap)
        create_topics(bootstrap, self.topics, self.participants)
        self.writer = RecordWriter(self.settings, name="rig")
        self.view = LogView(self.settings)
        self.journal = Journal(self.settings, self.topics)
        self.aggregator = AggregatorProcess(home, self.bundle)

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
        self.publish(spec)
        return spec

    def obeyed(self, spec: Spec) -> None:
        """Wait until the aggregator has taken it up: a boundary that comes before is not changed by it."""
        said = f"obeying generation {spec.generation}\n"
        eventually(lambda: said in self.aggregator.log(), said)

    def forge(self, data: bytes) -> None:
        """Write into the journal as somebody who should not, and wait until it is read."""
        written = self.writer.write_now(self.topics.journal, 0, data)
        self.journal.wait(lambda journal: len(journal.raw) > written.offset, "the forged record")

    def publish(self, spec: Spec) -> None:
        self.writer.write_now(self.topics.spec, 0, encode(spec))

    def join(
        self, *, scripts: Mapping[str, Script] | None = None, names: Sequence[str] | None = None
    ) -> dict[str, Participant]:
        """Start scripted participants."""
        scripts = scripts or {}
        joined = {name: Participant(self, name, scripts.get(name)) for name in names or self.participants}
        self.scripted += joined.values()
        for participant in joined.values():
            participant.start()
        return joined

    def examples(self, names: Sequence[str] | None = None) -> dict[str, int]:
        """What the default scripts announce."""
        return {name: EXAMPLES.get(name, 100) for name in names or self.participants}

    def completed(self) -> RunState:
        """Wait for the end of the run."""
        self.journal.wait(lambda journal: journal.state.ended or self._failures(), "the end of the run")
        for failure in self._failures():
            raise failure
        return self.journal.state

    def _failures(self) -> list[BaseException]:
        return [participant.failure for participant in self.scripted if participant.failure is not None]

    def accepted(self) -> list[set[str] | None]:
        """Whose updates each round number took, from 1; None where it was skipped."""
        taken = {r.round: {t.participant for t in r.accepted} for r in self.journal.of(RoundClosing)}
        closed = {r.round for r in self.journal.of(RoundClosed)}
        last = max(o.round for o in self.journal.of(RoundOpened))
        return [taken[number] if number in closed else None for number in range(1, last + 1)]

    def assert_exact(self, *accepted: set[str] | None, uniform: bool = False) -> None:
        """The rounds took these updates, and the models are the exact means of them."""
        assert self.accepted() == list(accepted)
        asked = {o.round: [s.participant for s in o.selected] for o in self.journal.of(RoundOpened)}
        examples = {p.name: p.script.examples for p in self.scripted}
        rounds = [
            names and Accepted({n: examples[n] for n in names}, {n: examples[n] for n in asked[number]}, uniform)
            for number, names in enumerate(accepted, start=1)
        ]
        assert self.journal.digests == expected_digests(self.layout, rounds)

    def audit(self) -> list[AuditRecord]:
        """Everything in the audit topic, once the run has ended: its last records may come after the journal's."""
        self.aggregator.wait()
        decoder = audit_decoder()
        found = [decoder.decode(record.value) for record in self.view.read_to_end(self.topics.audit)]
        return [record for record in found if record is not None]

    def rejections(self) -> list[UpdateAudited]:
        """The commits that were rejected, as the audit topic tells them."""
        return [r for r in self.audit() if isinstance(r, UpdateAudited) and not r.accepted]

    def close(self) -> None:
        """End everything, at once: each client takes until it wakes."""
        self.aggregator.close()
        clients = [self.journal.close, self.writer.close, self.view.close]
        ending = [threading.Thread(target=end) for end in (*clients, *(p.stop for p in self.scripted))]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join()
