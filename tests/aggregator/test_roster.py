"""Who is let in, on a journal in memory."""

from typing import cast

import pytest

from fedka.aggregator.clock import BrokerClock
from fedka.aggregator.data_plane import DataPlane
from fedka.aggregator.journal import JournalWriter, Replay
from fedka.aggregator.presence import CHANGES, PER_SECONDS
from fedka.aggregator.roster import OUTAGE_SECONDS, Roster
from fedka.aggregator.wiring import Wiring
from fedka.kafka.log_record import LogRecord
from fedka.kafka.log_view import LogView
from fedka.kafka.writer import RecordWriter
from fedka.wire.names import RunTopics

from .memory_log import MemoryLog
from .runs import RUN, hello


class Door:
    """A roster of one member, `a`, and its time."""

    def __init__(self) -> None:
        self.now = 1.0
        writer = cast("RecordWriter", MemoryLog())
        journal = JournalWriter(
            writer=writer, topic="journal", reading=Replay(), on_answer=lambda *_: None, now_ms=lambda: 0.0
        )
        self.wiring = Wiring(
            topics=RunTopics(run=RUN),
            journal=journal,
            audit_writer=writer,
            data=cast("DataPlane", None),  # nothing is folded here
            view=cast("LogView", None),  # nor looked up
            clock=BrokerClock(0, 0.0),
            monotonic=lambda: self.now,
            nonce=lambda: "",
            at=lambda _point: None,
        )
        self.roster = Roster(self.wiring)
        self.roster.set_members(["a"])

    def come(self, offset: int) -> None:
        self.roster.hello("a", LogRecord(topic="t", partition=0, offset=offset, time_ms=0, value=b""), hello())

    def pass_by(self, seconds: float) -> None:
        """Time, in which others are heard of."""
        for _ in range(int(seconds // 5)):
            self.now += 5.0
            self.roster.heard("b")

    def is_in(self) -> bool:
        return "a" in self.wiring.state.present


@pytest.fixture
def door() -> Door:
    """That `a` has passed as often as it may."""
    door = Door()
    for number in range(CHANGES):
        door.come(number)
        assert door.is_in()
        door.roster.leave("a", "it said goodbye")
    door.come(CHANGES)
    assert not door.is_in()
    return door


def test_who_came_and_went_too_often_is_let_in_by_its_first_word_after_a_while(door: Door) -> None:
    door.now += PER_SECONDS
    door.roster.join("a")
    assert door.wiring.state.present == {"a": CHANGES}


def test_who_came_and_went_too_often_and_says_nothing_more_is_not_let_in(door: Door) -> None:
    door.now += PER_SECONDS
    assert door.roster.next_check() is None
    door.roster.check()
    assert not door.is_in()


def test_a_broker_that_stays_away_keeps_nobody_present() -> None:
    """Each client tells of it every half minute; only what was silent before the first word of it does not count."""
    door = Door()
    door.come(0)
    door.pass_by(25.0)
    door.roster.trouble()
    door.pass_by(25.0)
    door.roster.check()
    assert door.is_in()
    door.roster.trouble()
    door.pass_by(10.0)
    door.roster.check()
    assert not door.is_in()


def test_a_later_outage_counts_anew() -> None:
    door = Door()
    door.come(0)
    door.roster.trouble()
    door.pass_by(OUTAGE_SECONDS)
    door.roster.heard("a")
    door.pass_by(25.0)
    door.roster.trouble()
    door.pass_by(25.0)
    door.roster.check()
    assert door.is_in()


def test_who_said_hello_before_it_was_a_member_is_let_in_once_it_is_one() -> None:
    """An External participant that is removed and added again goes on as it is, and says no other hello."""
    door = Door()
    door.roster.set_members([])
    door.come(0)
    assert not door.is_in()
    door.roster.set_members(["a"])
    door.roster.join("a")  # at its next sign of life
    assert door.is_in()
