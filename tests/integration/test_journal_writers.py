"""What others write into the journal changes nothing, and who cannot write any more stops."""

import json
import signal

import pytest

from fedka import exit_codes
from fedka.wire.journal import JournalPosition, Verdict, link, sign
from fedka.wire.records import AggregatorStarted, FailReason, RoundOpened, RunFailed, UpdateAccepted

from .conftest import NewRig
from .rig import Rig
from .scripts import Gate, scripted_by
from .topics import delete_records

pytestmark = pytest.mark.kafka
BOTH = {"a", "b"}
END = RunFailed(reason=FailReason.MODEL_LOST, message="a forger says so")


def in_round_one(rig: Rig, kills: list[str]) -> Gate:
    gate = Gate("b", 1)
    rig.spec(rounds={"count": 2})
    rig.aggregator.start(kill_at=kills)
    rig.join(scripts=scripted_by(gate.script, rig.participants))
    gate.reached()
    rig.journal.seen(UpdateAccepted, 2)  # nothing more is written until the gate opens
    return gate


def forge(rig: Rig, **header: object) -> bytes:
    """A record that would end the run, in the place where the journal stands, with another header."""
    position = rig.journal.position
    _, data = sign(position, END)
    return json.dumps({**json.loads(data), **header}, separators=(",", ":")).encode()


def test_a_zombies_records_of_an_older_epoch_do_not_exist(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    gate = in_round_one(rig, ["started"])
    position = rig.journal.position
    for seq in (1, position.next_seq()):
        rig.forge(forge(rig, epoch=position.epoch - 1, seq=seq))
    gate.open()
    rig.completed()
    rig.assert_exact(BOTH, BOTH)
    assert rig.aggregator.wait() == [-signal.SIGKILL, exit_codes.OK]
    assert rig.journal.verdicts.count(Verdict.STALE) == 2


def test_a_started_that_does_not_rise_does_not_exist(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    gate = in_round_one(rig, [])
    for epoch in (1, 0):
        again = AggregatorStarted(software="forged", epoch=epoch, seq=0)
        rig.forge(again.model_dump_json(by_alias=True).encode())
    gate.open()
    rig.completed()
    rig.assert_exact(BOTH, BOTH)
    assert rig.aggregator.wait() == [exit_codes.OK]


def test_a_repeated_request_does_not_exist(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    gate = in_round_one(rig, [])
    rig.forge(rig.journal.raw[-1])
    rig.forge(rig.journal.raw[2])
    gate.open()
    rig.completed()
    rig.assert_exact(BOTH, BOTH)
    assert rig.journal.verdicts.count(Verdict.REPEATED) == 2
    assert rig.aggregator.wait() == [exit_codes.OK]


@pytest.mark.parametrize("fault", ["gap", "chain"])
def test_a_record_that_does_not_fit_makes_the_aggregator_read_its_journal_again(new_rig: NewRig, fault: str) -> None:
    rig = new_rig("a", "b")
    gate = in_round_one(rig, [])
    seq = rig.journal.position.next_seq()
    rig.forge(forge(rig, seq=seq + 3) if fault == "gap" else forge(rig, chain="f" * 64))
    gate.open()
    rig.completed()
    rig.assert_exact(BOTH, BOTH)
    assert rig.aggregator.wait() == [exit_codes.FAILED, exit_codes.OK]
    assert [o.attempt for o in rig.journal.of(RoundOpened)] == [1, 1, 1]


RUBBISH = [b"", b"[", b'{"type":"round.closed","v":7}', b'{"type":"x","v":1}', b"x" * 300_000]


@pytest.mark.parametrize("rubbish", RUBBISH, ids=["empty", "no JSON", "a later version", "no header", "too large"])
def test_rubbish_in_the_journal_does_not_exist(new_rig: NewRig, rubbish: bytes) -> None:
    rig = new_rig("a", "b")
    gate = in_round_one(rig, ["acknowledged round.closed#2"])
    rig.forge(rubbish)
    gate.open()
    rig.completed()
    rig.assert_exact(BOTH, BOTH)
    assert rig.aggregator.wait() == [-signal.SIGKILL, exit_codes.OK]


def test_a_journal_without_its_head_is_refused(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    gate = in_round_one(rig, [])
    delete_records(rig.bootstrap, rig.topics.journal, 0, before=3)
    rig.aggregator.signal(signal.SIGKILL)
    gate.open()
    assert rig.aggregator.wait() == [-signal.SIGKILL, exit_codes.CONFIG]


def test_a_journal_that_begins_with_something_else_is_refused(new_rig: NewRig) -> None:
    rig = new_rig("a")
    position = JournalPosition(epoch=1, seq=3, chain=link(b"", b""))
    rig.forge(sign(position, END)[1])
    rig.aggregator.start()
    assert rig.aggregator.wait() == [exit_codes.CONFIG]


def test_a_run_that_has_ended_is_left_alone(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    in_round_one(rig, []).open()
    rig.completed()
    rig.aggregator.wait()
    before = len(rig.journal.records)
    assert rig.aggregator.spawn().wait(60) == exit_codes.OK
    assert len(rig.view.read_to_end(rig.topics.journal)) == before
