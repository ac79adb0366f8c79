"""The journal's rule, one sentence of it a test."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedka.wire import records as r
from fedka.wire.codec import encode, journal_decoder
from fedka.wire.journal import GENESIS, JournalPosition, Verdict, judge, link, sign, start

from .arbitrary import JOURNAL_TYPES, a

STARTED = r.AggregatorStarted(software="fedka 1")
ORDINARY = [kind for kind in JOURNAL_TYPES if kind is not r.AggregatorStarted]
ORDINARY_RECORD = st.sampled_from(ORDINARY).flatmap(a)
SUSPENDED = r.RunSuspended()


def after_start(epoch: int = 1) -> JournalPosition:
    position, verdict = judge(JournalPosition(epoch=epoch - 1), start(JournalPosition(epoch=epoch - 1), STARTED))
    assert verdict is Verdict.VALID
    return position


def forged(position: JournalPosition, **changed: object) -> bytes:
    """A record that would be the next one, but for what is changed."""
    _, data = sign(position, SUSPENDED)
    return json.dumps(json.loads(data) | changed).encode()


def test_the_first_started_opens_epoch_1() -> None:
    assert (after_start().epoch, after_start().seq) == (1, 0)


def test_the_chain_is_what_it_always_was() -> None:
    """Readers of the next version must come to the same chain: change its making knowingly or not at all."""
    position, data = sign(after_start(), SUSPENDED)
    assert json.loads(data)["chain"] == link(GENESIS, start(JournalPosition(), STARTED)).hex()
    assert position.chain.hex() == "6aa4edb48cccfd60fda1b1f66e86dc4d5b3b87d6a5d1140c5f2f5f549a165d51"


@given(ORDINARY_RECORD)
def test_the_next_record_of_the_epoch_exists_whatever_its_type(record: r.JournalRecord) -> None:
    position = after_start(7)
    ahead, data = sign(position, record)
    assert judge(position, data) == (ahead, Verdict.VALID)
    read = journal_decoder().decode(data)
    assert read == record.model_copy(update={"epoch": 7, "seq": 1, "chain": position.chain.hex()})


@given(ORDINARY_RECORD)
def test_a_record_again_does_not_exist_and_moves_nothing(record: r.JournalRecord) -> None:
    ahead, data = sign(after_start(), record)
    assert judge(ahead, data) == (ahead, Verdict.REPEATED)


def test_a7_a_gap_in_seq_does_not_exist() -> None:
    position = after_start()
    lost, _ = sign(position, SUSPENDED)
    _, next_one = sign(lost, r.RunResumed())
    assert judge(position, next_one) == (position, Verdict.BROKEN)


@pytest.mark.parametrize("seq", [2, 3, 100, 2**70])
def test_a7_a_gap_does_not_exist_though_its_chain_fits(seq: int) -> None:
    position = after_start()
    assert judge(position, forged(position, seq=seq)) == (position, Verdict.BROKEN)


@given(st.binary(min_size=32, max_size=32).filter(lambda chain: chain != after_start().chain))
def test_a8_a_record_whose_writer_read_another_past_does_not_exist(chain: bytes) -> None:
    position = after_start()
    assert judge(position, forged(position, chain=chain.hex())) == (position, Verdict.BROKEN)


@pytest.mark.parametrize("epoch", [0, 1, 4])
def test_a_zombie_s_record_does_not_exist(epoch: int) -> None:
    position = after_start(5)
    assert judge(position, forged(position, epoch=epoch)) == (position, Verdict.STALE)


@pytest.mark.parametrize("epoch", [6, 100])
def test_b1_an_epoch_without_its_started_does_not_exist(epoch: int) -> None:
    position = after_start(5)
    assert judge(position, forged(position, epoch=epoch)) == (position, Verdict.BROKEN)


def test_b1_nothing_exists_before_the_first_started() -> None:
    """A record that was never signed has epoch 0, seq 0 and the chain of an empty journal."""
    assert judge(JournalPosition(), encode(SUSPENDED)) == (JournalPosition(), Verdict.BROKEN)


def test_b1_of_two_starters_with_the_same_epoch_the_first_exists() -> None:
    position = after_start()
    other = start(JournalPosition(), r.AggregatorStarted(software="another"))
    assert judge(position, other) == (position, Verdict.REPEATED)


def test_b1_a_late_started_of_an_older_epoch_does_not_exist() -> None:
    position = after_start(3)
    assert judge(position, start(JournalPosition(epoch=1), STARTED)) == (position, Verdict.STALE)


def test_b1_a_started_may_leave_epochs_out() -> None:
    _, verdict = judge(after_start(3), start(JournalPosition(epoch=8), STARTED))
    assert verdict is Verdict.VALID


def test_b1_a_started_that_is_not_the_first_of_its_epoch_does_not_exist() -> None:
    position = after_start()
    late = json.dumps(json.loads(start(position, STARTED)) | {"seq": 1}).encode()
    assert judge(position, late) == (position, Verdict.BROKEN)


def test_b1_the_chain_covers_started_so_two_incarnations_of_an_epoch_differ() -> None:
    one, _ = judge(JournalPosition(), start(JournalPosition(), STARTED))
    other, _ = judge(JournalPosition(), start(JournalPosition(), r.AggregatorStarted(software="another")))
    _, data = sign(one, SUSPENDED)
    assert judge(other, data) == (other, Verdict.BROKEN)


def test_b1_a_type_that_this_version_does_not_know_takes_part_in_seq_and_chain() -> None:
    position = after_start()
    unknown = forged(position, type="weather.changed", wind=7)
    assert journal_decoder().decode(unknown) is None
    after, verdict = judge(position, unknown)
    assert verdict is Verdict.VALID
    assert after == JournalPosition(epoch=1, seq=1, chain=link(position.chain, unknown))
    assert judge(after, sign(after, SUSPENDED)[1])[1] is Verdict.VALID
    assert judge(position, sign(after, SUSPENDED)[1])[1] is Verdict.BROKEN


def test_b2_a_starter_that_did_not_read_on_to_its_own_started_writes_what_does_not_exist() -> None:
    """A record of its predecessor lands between the end that it read and its own `started`."""
    end = after_start()
    own = start(end, STARTED)
    in_between, late = sign(end, SUSPENDED)
    hasty, _ = judge(end, own)
    careful, verdict = judge(in_between, own)
    assert judge(end, late)[1] is Verdict.VALID
    assert verdict is Verdict.VALID
    assert judge(careful, sign(hasty, r.RunResumed())[1]) == (careful, Verdict.BROKEN)
    assert judge(careful, sign(careful, r.RunResumed())[1])[1] is Verdict.VALID


def test_a5_a_reader_that_resumes_without_epoch_and_seq_sees_what_never_happened() -> None:
    """Only the full position will do: with the offset alone, a zombie's record is taken for an existing one."""
    old = after_start(2)
    new, _ = judge(old, start(old, STARTED))
    _, zombie = sign(old, r.UpdateAccepted(round=1, attempt=1, participant="p", offset=1))
    assert judge(new, zombie)[1] is Verdict.STALE  # whoever replays, or kept the full position
    assert judge(old, zombie)[1] is Verdict.VALID  # whoever forgot that an epoch has begun since


def test_a8_after_a_lost_tail_one_who_remembers_it_cannot_write_into_the_new_story() -> None:
    """Epoch 1 is opened twice; without the chain, both writers' records with the next seq would exist."""
    one = after_start()
    remembers, lost = sign(one, SUSPENDED)
    other, _ = judge(JournalPosition(), start(JournalPosition(), r.AggregatorStarted(software="another")))
    ahead, _ = sign(other, r.RunResumed())
    assert judge(other, lost) == (other, Verdict.BROKEN)
    assert judge(ahead, sign(remembers, SUSPENDED)[1]) == (ahead, Verdict.BROKEN)


@given(st.binary(max_size=200) | st.none())
def test_what_is_not_a_record_does_not_exist(data: bytes | None) -> None:
    position = after_start()
    assert judge(position, data) == (position, Verdict.BROKEN)


@pytest.mark.parametrize(
    "changed",
    [
        {"epoch": "1"},
        {"epoch": True},
        {"epoch": 1.0},
        {"epoch": None},
        {"seq": "1"},
        {"seq": True},
        {"seq": 1.0},
        {"chain": None},
        {"chain": 7},
        {"v": 2},
        {"type": None},
    ],
    ids=lambda changed: "-".join(f"{name}={value!r}" for name, value in changed.items()),
)
def test_a_header_of_another_form_does_not_exist(changed: dict[str, object]) -> None:
    """`true` and `1.0` equal 1 in Python, not in JSON: readers in other languages must agree."""
    position = after_start()
    assert judge(position, forged(position, **changed)) == (position, Verdict.BROKEN)


@pytest.mark.parametrize("missing", ["epoch", "seq", "chain", "type", "v"])
def test_a_header_with_a_member_missing_does_not_exist(missing: str) -> None:
    position = after_start()
    document = json.loads(sign(position, SUSPENDED)[1])
    del document[missing]
    assert judge(position, json.dumps(document).encode()) == (position, Verdict.BROKEN)


@given(ORDINARY_RECORD, st.data())
def test_a_record_with_one_byte_changed_breaks_the_chain_of_the_next(
    record: r.JournalRecord, data: st.DataObject
) -> None:
    position = after_start()
    ahead, written = sign(position, record)
    _, following = sign(ahead, SUSPENDED)
    changed = bytearray(written)
    changed[data.draw(st.integers(0, len(written) - 1))] ^= data.draw(st.integers(1, 255))
    seen, _ = judge(position, bytes(changed))
    assert judge(seen, following)[1] is not Verdict.VALID
