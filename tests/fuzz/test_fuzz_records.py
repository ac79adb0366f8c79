"""Whatever lies in a topic, a reader comes to a value or to the exception that it documents, and to nothing else."""

from collections.abc import Iterator, Sequence
from random import Random

import pytest

from fedka.aggregator.claims import read_claims
from fedka.aggregator.commits import refuse
from fedka.cli.journal_read import past_of
from fedka.kafka.log_record import LogRecord
from fedka.reconcile.projection import Projection, read_audit, read_journal
from fedka.wire import records as r
from fedka.wire.codec import (
    Decoder,
    MalformedRecord,
    audit_decoder,
    control_decoder,
    journal_decoder,
    spec_decoder,
)
from fedka.wire.journal import JournalPosition, Verdict, judge, sign
from fedka.wire.layout import Layout
from fedka.wire.run_state import At, RunState, advance

from ..wire.arbitrary import AUDIT_TYPES, CONTROL_TYPES, JOURNAL_TYPES
from .corpus import arbitrary, recorded
from .mutation import cases, mutated

SHORTEST = 1024
LONGEST_REASON = 600
KINDS: dict[str, tuple[Decoder[r.Record], str, Sequence[type[r.Record]]]] = {
    "journal": (journal_decoder(), "journal", JOURNAL_TYPES),
    "audit": (audit_decoder(), "audit", AUDIT_TYPES),
    "control": (control_decoder(), "update", CONTROL_TYPES),
    "spec": (spec_decoder(), "spec", (r.Spec,)),
}


def corpus_of(kind: str) -> tuple[bytes, ...]:
    _, topic, types = KINDS[kind]
    return (*recorded(topic), *arbitrary(tuple(types)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_read_or_refused(kind: str, count: int) -> None:
    """And what was read is not much larger than what was written, and is read again to the same."""
    decoder = KINDS[kind][0]
    read, reasons = 0, list[str]()
    for seed, data in cases(kind, count, corpus_of(kind)):
        try:
            record = decoder.decode(data)
        except MalformedRecord as error:
            reasons.append(str(error))
            continue
        if record is not None:
            read += 1
            again = record.model_dump_json(by_alias=True).encode()
            assert len(again) <= 8 * len(data) + 8 * SHORTEST, seed
            assert decoder.decode(again) == record, seed
    assert read > count // 20, "the mutations leave nothing to read"
    assert len(reasons) > count // 4, "the mutations spoil nothing"
    assert max(map(len, reasons)) <= LONGEST_REASON


def told(log: Sequence[bytes]) -> Iterator[LogRecord]:
    for offset, value in enumerate(log):
        yield LogRecord("journal", 0, offset, 1000 * offset, value)


def test_the_rule_of_the_journal_judges_anything(count: int) -> None:
    """No bytes make it raise, and only a start or the next record of the epoch moves it."""
    corpus, position = corpus_of("journal"), JournalPosition(epoch=3, seq=7)
    for seed, data in cases("judge", count, corpus):
        after, verdict = judge(position, data)
        assert (verdict is Verdict.VALID) == (after != position), seed
        assert after.epoch > position.epoch or after.seq in (position.seq, position.next_seq()), seed


def test_what_an_aggregator_could_write_is_taken_by_every_reader(count: int) -> None:
    """Records that are well-formed and make no sense, in good order, between those of a run."""
    decoder, corpus = journal_decoder(), corpus_of("journal")
    story = [decoder.decode(data) for data in recorded("journal")]
    for number in range(count // 20):
        random = Random(f"readers {number}")  # noqa: S311  nothing here is a secret
        at = random.randrange(len(story))
        records = [record for record in story[:at] if record is not None]
        for _ in range(8):
            try:
                strange = decoder.decode(mutated(random, corpus))
            except MalformedRecord:
                continue
            if isinstance(strange, r.JournalRecord):
                records.append(strange)
        _read_by_all(records)


def _read_by_all(records: Sequence[r.JournalRecord]) -> None:
    position, log, state, view = JournalPosition(epoch=1), [], RunState(), Projection()
    for offset, record in enumerate(records):
        position, data = sign(position, record)
        log.append(data)
        state = advance(state, record, At(offset, 1000 * offset))
        view = read_journal(view, data, At(offset, 1000 * offset))
    started = list(told(log))
    read_claims(started)
    past_of(started)


def test_the_audit_topic_explains_or_is_passed_over(count: int) -> None:
    view = Projection()
    for _seed, data in cases("explain", count, corpus_of("audit")):
        view = read_audit(view, data)
    assert view.view.participants


def test_commits_are_judged_by_their_numbers(count: int) -> None:
    """Sizes that are claimed are compared, and nothing is allocated by them."""
    decoder, corpus = control_decoder(), [each for each in corpus_of("control") if b'"commit"' in each]
    (opened,) = (record for record in map(journal_decoder().decode, recorded("journal")[:4]) if _opens(record))
    layout = load_layout()
    judged = 0
    for _seed, data in cases("commits", count, corpus):
        try:
            commit = decoder.decode(data)
        except MalformedRecord:
            continue
        if isinstance(commit, r.Commit) and isinstance(opened, r.RoundOpened):
            judged += 1
            for known in (None, layout):
                refuse(commit, opened, known, commit.layout, 2**30)
            assert len(commit.update.offsets()) == len(commit.update.deltas)
    assert judged > count // 20


def load_layout() -> Layout:
    found = [record for record in map(journal_decoder().decode, recorded("journal")) if _defines(record)]
    assert isinstance(found[0], r.LayoutDefined)
    return found[0].layout


def _opens(record: object) -> bool:
    return isinstance(record, r.RoundOpened)


def _defines(record: object) -> bool:
    return isinstance(record, r.LayoutDefined)
