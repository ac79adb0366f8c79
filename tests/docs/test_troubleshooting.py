"""The troubleshooting page has every word that a status, an event, a log or an exit code may show."""

import re
from itertools import chain

import pytest

from fedka import exit_codes
from fedka.api.reasons import ConditionType, DetailReason, EventReason, ParticipantState, Reason
from fedka.wire.records import FailReason, MissReason, RejectReason

from .pages import ROOT, text_of

PAGE = text_of("docs/troubleshooting.md")
WORDS = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", PAGE))))
SHOWN = [*Reason, *EventReason, *DetailReason, *ParticipantState, *RejectReason, *MissReason, *FailReason]
CODES = sorted(value for value in vars(exit_codes).values() if isinstance(value, int))
SOURCE = " ".join(path.read_text() for path in sorted((ROOT / "operator").rglob("*.py")))


@pytest.mark.parametrize("word", sorted({str(each) for each in SHOWN}))
def test_every_reason_is_there(word):
    assert word in WORDS


@pytest.mark.parametrize("code", CODES)
def test_every_exit_code_is_there(code):
    assert re.search(rf"^\| {code} \| ", PAGE, re.MULTILINE)


def test_no_code_is_told_that_no_process_ends_with():
    assert sorted(int(code) for code in re.findall(r"^\| (\d+) \| ", PAGE, re.MULTILINE)) == CODES


def test_conditions_are_written_as_they_are_named():
    told = {name for name, _ in re.findall(r"`([A-Z]\w+): (\w+)`", PAGE)}
    assert told <= {str(each) for each in chain(ConditionType, ParticipantState)}


def test_messages_are_quoted_as_the_program_says_them():
    section = PAGE.partition("## Messages of `fedka run`")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    assert rows
    assert [message for row in rows for message in re.findall(r"`([^`]+)`", row) if message not in SOURCE] == []
