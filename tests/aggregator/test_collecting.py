"""What an open attempt comes to, by what is read and folded, and in which order."""

from fedka.aggregator.events import Folded
from fedka.aggregator.tasks import Fold, Publish
from fedka.wire.records import (
    Failed,
    JournalRecord,
    LayoutDefined,
    ParticipantJoined,
    RoundClosing,
    RoundMissed,
    RoundOpened,
    Selected,
    Spec,
    Taken,
    UpdateAccepted,
    UpdateDropped,
    UpdateRejected,
)

from .runs import LAYOUT, NONCE, RUN, commit, hello, opened, spec
from .table import ControlLogs, Table, journal_of

END = 10  # of each control log
HELLO, SINCE = 0, 1


def begun(*more: JournalRecord, names: str = "ab", **changes: object) -> list[JournalRecord]:
    """Round 1 is open, and has asked them all."""
    asked = tuple(Selected(participant=name, since=SINCE, hello=HELLO) for name in names)
    joined = [ParticipantJoined(participant=name, offset=HELLO) for name in names]
    defined = LayoutDefined(layout=LAYOUT, digest=LAYOUT.digest(), participant="a")
    values = {"target": len(names), "selected": asked, **changes}
    return [*joined, defined, opened(**values), *more]


def accepted(name: str, offset: int) -> UpdateAccepted:
    return UpdateAccepted(round=1, attempt=1, participant=name, offset=offset)


def closing(**taken: int) -> RoundClosing:
    decided = tuple(Taken(participant=name, offset=offset) for name, offset in taken.items())
    return RoundClosing(round=1, attempt=1, accepted=decided)


def taken_up(*records: JournalRecord, wanted: Spec | None = None) -> Table:
    """A successor's engine, which has not read the control logs yet."""
    return Table(journal_of(*records), ControlLogs(hello(), end=END), wanted or spec("ab"))


def failed() -> Failed:
    return Failed(run=RUN, round=1, attempt=1, nonce=NONCE, message="out of memory")


def of(table: Table, *kinds: type[JournalRecord]) -> list[JournalRecord]:
    return [record for record in table.journal() if isinstance(record, kinds)]


def test_an_accepted_update_whose_commit_is_no_longer_in_its_log_is_dropped() -> None:
    table = taken_up(*begun(accepted("a", 1)))
    table.is_read("a", END)
    assert not of(table, UpdateDropped), "the logs are read to the end first"
    table.is_read("b", END)
    (dropped,) = of(table, UpdateDropped)
    assert isinstance(dropped, UpdateDropped)
    assert (dropped.participant, dropped.offset) == ("a", 1)
    table.says("b", END, commit())
    table.happens(Folded(("b", END)))
    assert [closed.accepted for closed in of(table, RoundClosing) if isinstance(closed, RoundClosing)] == [
        (Taken(participant="b", offset=END),)
    ]


def test_a_decided_update_whose_commit_is_gone_is_decided_against() -> None:
    table = taken_up(*begun(accepted("a", 1), accepted("b", 1), closing(a=1, b=1)))
    table.says("b", 1, commit())
    table.happens(Folded(("b", 1)))
    table.is_read("b", END)
    table.is_read("a", END)
    assert [type(record) for record in of(table, UpdateDropped, RoundClosing)] == [UpdateDropped, RoundClosing]
    assert [order.keys for order in table.orders.given if isinstance(order, Publish)] == [{("b", 1)}]


def test_a_round_whose_decided_updates_are_all_gone_is_missed() -> None:
    table = taken_up(*begun(accepted("a", 1), accepted("b", 1), closing(a=1, b=1)))
    table.is_read("b", END)
    table.is_read("a", END)
    assert len(of(table, RoundMissed)) == 1
    assert table.wiring.state.attempt is None or isinstance(table.journal()[-1], RoundOpened)


def test_an_accepted_update_that_is_still_there_is_only_folded_again() -> None:
    table = taken_up(*begun(accepted("a", 1)))
    table.says("a", 1, commit())
    for name in "ab":
        table.is_read(name, END)
    assert not of(table, UpdateDropped)
    assert [order.key for order in table.orders.given if isinstance(order, Fold)] == [("a", 1)]


def test_who_fails_while_its_commit_is_folded_is_not_accepted() -> None:
    table = taken_up(*begun())
    for name in "ab":
        table.is_read(name, END)
    table.says("a", END, commit())
    table.says("a", END + 1, failed())
    table.happens(Folded(("a", END)))
    assert not of(table, UpdateAccepted)
    table.says("b", END, commit())
    table.happens(Folded(("b", END)))
    assert [record.participant for record in of(table, UpdateRejected) if isinstance(record, UpdateRejected)] == ["a"]
    assert [order.keys for order in table.orders.given if isinstance(order, Publish)] == [{("b", END)}]
