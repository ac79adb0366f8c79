"""Logs that other versions wrote are read to what they came to then; what a later one will write is handled as told."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fedka.aggregator.claims import read_claims
from fedka.cli.journal_read import past_of
from fedka.kafka.log_record import LogRecord
from fedka.participant.journal import JournalUnreadable, JournalView
from fedka.wire.journal import JournalPosition, Verdict, judge, link, sign
from fedka.wire.records import AggregatorStarted, ParticipantLost

from .arbitrary import JOURNAL_TYPES
from .form_of_records import FORMS as FORMS_FILE
from .form_of_records import forms
from .recorded_log import RecordedLog, load, save
from .told import FORMS, in_the_middle, state, told, view

RECORDED = Path(__file__).with_name("recorded")
LOGS = sorted(RECORDED.glob("*/*.jsonl"))


def recorded(path: Path) -> Mapping[str, Any]:
    told: Mapping[str, Any] = json.loads(path.with_suffix("").with_suffix(".told.json").read_text())
    return told


def as_json(value: object) -> object:
    return json.loads(json.dumps(value))


def assert_holds(found: Any, wanted: Any) -> None:
    """The very values; a later version may tell more than was recorded."""
    if isinstance(wanted, dict):
        assert wanted.keys() <= found.keys()
        for name, value in wanted.items():
            assert_holds(found[name], value)
    elif isinstance(wanted, list):
        assert len(found) == len(wanted)
        for each, value in zip(found, wanted, strict=True):
            assert_holds(each, value)
    else:
        assert found == wanted


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("when", ["at the end", "in the middle"])
@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_log_of_any_version_is_read_to_what_it_came_to(path: Path, when: str, form: str) -> None:
    log = load(path) if when == "at the end" else in_the_middle(load(path))
    assert_holds(as_json(FORMS[form](log)), recorded(path)[when][form])


def test_each_type_of_the_journal_is_recorded() -> None:
    """Or nothing would be known of how an older one is read."""
    texts = [record.value or b"" for path in LOGS for record in load(path).journal()]
    assert {json.loads(text)["type"] for text in texts} == {kind.model_fields["type"].default for kind in JOURNAL_TYPES}


def test_records_look_as_they_did_when_they_were_recorded_last() -> None:
    """Once they do not, logs of this version are recorded beside the older ones, which have to be read as before:

    python -m tests.wire.record tests/wire/recorded/VERSION
    """
    newest = max(RECORDED.iterdir(), key=lambda version: [int(number) for number in version.name.split(".")])
    assert as_json(forms()) == json.loads((newest / FORMS_FILE).read_text())


def test_the_recordings_hold_what_can_happen_to_a_run() -> None:
    """Or they would prove nothing of a restart, a retry, a skipped round, a rejection and a dead one's record."""
    log = load(RECORDED / "0.1" / "troubled.jsonl")
    texts = [record.value or b"" for record in log.journal()]
    kinds = {json.loads(text)["type"] for text in texts}
    assert {"round.missed", "update.rejected", "update.accepted", "round.closing", "evaluation.closed"} <= kinds
    assert sum(b'"aggregator.started"' in text for text in texts) == 3
    assert {json.loads(text)["skipped"] for text in texts if b'"round.missed"' in text} == {True, False}
    position, verdicts = JournalPosition(), []
    for text in texts:
        position, verdict = judge(position, text)
        verdicts.append(verdict)
    assert Verdict.STALE in verdicts


def test_a_recording_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    log = load(RECORDED / "0.1" / "complete.jsonl")
    save(log, tmp_path / "again.jsonl")
    again = load(tmp_path / "again.jsonl")
    assert (again.places, again.topics) == (log.places, log.topics)
    assert_holds(as_json(told(again)), recorded(RECORDED / "0.1" / "complete.jsonl"))


# --- what a later version writes ---------------------------------------------------------------------------------


class Newer:
    """A recorded run in the middle, to which a newer version writes on."""

    def __init__(self) -> None:
        self.log: RecordedLog = in_the_middle(load(RECORDED / "0.1" / "troubled.jsonl"))
        self.before = state(self.log)
        self.position = JournalPosition()
        for record in self.log.journal():
            self.position, _ = judge(self.position, record.value)

    def write(self, change: tuple[bytes, bytes]) -> None:
        """A record in which something is not as this version would write it."""
        _, data = sign(self.position, ParticipantLost(participant="b"))
        data = data.replace(*change)
        seq = self.position.next_seq()
        self.position = replace(self.position, seq=seq, chain=link(self.position.chain, data))
        self._append(data)

    def write_known(self) -> None:
        self.position, data = sign(self.position, ParticipantLost(participant="a"))
        self._append(data)

    def records(self) -> list[LogRecord]:
        return list(self.log.journal())

    def _append(self, data: bytes) -> None:
        last = self.records()[-1]
        held = self.log.places[last.topic, 0]
        stored = held[last.offset]
        self.log.add(replace(stored, record=replace(last, offset=last.offset + 1, value=data)))


@pytest.fixture
def newer() -> Newer:
    return Newer()


UNKNOWN_TYPE = (b'"participant.lost"', b'"participant.asleep"')
UNKNOWN_MEMBER = (b'"participant":', b'"since":7,"participant":')
NEXT_VERSION = (b'"v":1', b'"v":2')


@pytest.mark.parametrize("change", [UNKNOWN_TYPE, UNKNOWN_MEMBER], ids=["type", "member"])
def test_a_record_of_an_unknown_kind_takes_its_place_and_changes_nothing(
    newer: Newer, change: tuple[bytes, bytes]
) -> None:
    """For whoever shows a run: what follows it is read again."""
    newer.write(change)
    assert state(newer.log) == newer.before
    assert view(newer.log).state == newer.before
    assert past_of(newer.records()).state == newer.before
    newer.write_known()
    for after in (state(newer.log), view(newer.log).state, past_of(newer.records()).state):
        assert after.present.keys() == {"b"}
        assert after.seq == newer.before.seq + 2


def test_replay_counts_what_it_does_not_understand(newer: Newer) -> None:
    newer.write(UNKNOWN_TYPE)
    newer.write(UNKNOWN_MEMBER)
    claims = read_claims(newer.records())
    assert (claims.not_understood, claims.torn_at) == (2, None)


def test_a_participant_passes_over_an_unknown_type_and_goes_no_further_than_an_unknown_member(newer: Newer) -> None:
    """It would act on half of what it was told."""
    newer.write(UNKNOWN_TYPE)
    newer.write(UNKNOWN_MEMBER)
    reading = JournalView()
    *known, unreadable = newer.records()
    for record in known:
        reading.take(record)
    assert reading.state == newer.before
    with pytest.raises(JournalUnreadable, match="since"):
        reading.take(unreadable)


def test_the_next_version_of_a_record_does_not_exist_for_this_one(newer: Newer) -> None:
    """A reader understands its own version and the one before it: readers are upgraded first, then who writes."""
    first = len(newer.records())
    newer.write(NEXT_VERSION)
    newer.write_known()
    claims = read_claims(newer.records())
    assert claims.state == newer.before
    assert claims.torn_at == first
    assert view(newer.log).state == newer.before


def test_a_start_after_what_is_not_understood_ties_the_journal_together_again(newer: Newer) -> None:
    newer.write(NEXT_VERSION)
    position = JournalPosition()
    for record in newer.records():
        position, _ = judge(position, record.value)
    _, data = sign(JournalPosition(position.epoch + 1, -1, position.chain), AggregatorStarted(software="older again"))
    newer._append(data)
    claims = read_claims(newer.records())
    assert claims.torn_at is None
    assert claims.state.epoch == newer.before.epoch + 1
