"""What a hostile participant says and writes: one kind a round, on both partitions of the one topic that it may write.

Each kind is told the participant, the round that was opened, and the sound commit that it would write if it could not
lie. It returns whether that commit is to follow: then it counts, as nothing that came before may spoil it.
"""

import json
import secrets
from collections.abc import Callable

import numpy as np
from confluent_kafka import Producer

from fedka.wire.chunks import UPLOAD_BYTES, ChunkHeaders, Pointer, chunk_digest, root_digest
from fedka.wire.codec import encode
from fedka.wire.names import BULK_PARTITION, CONTROL_PARTITION
from fedka.wire.records import (
    AggregatorStarted,
    Commit,
    Evaluated,
    FailReason,
    Record,
    RoundClosed,
    RoundOpened,
    Rounds,
    RunCompleted,
    RunFailed,
    Spec,
    UpdateAccepted,
    UpdateAudited,
)

from ..integration.followed_journal import eventually
from ..integration.scripted import Participant
from ..integration.vectors import chunks_of
from ..kafka.raw_producer import RawProducer

FLOOD = 2000
LARGE = 999_000  # bytes: what a broker takes by default
Saying = Callable[[Participant, RoundOpened, Commit], bool]


def flood(who: Participant, *records: bytes, partition: int = CONTROL_PARTITION, times: int = 1) -> None:
    """Write all of these, `times` over, as quickly as Kafka takes them."""
    producer = Producer({"bootstrap.servers": who.rig.bootstrap, "queue.buffering.max.messages": 1_000_000})
    for _ in range(times):
        for record in records:
            producer.produce(who.topic, record, partition=partition)
            producer.poll(0)
    assert producer.flush(60) == 0


def changed(record: Record, **members: object) -> bytes:
    """A record with members that its model would refuse."""
    return json.dumps({**json.loads(encode(record)), **members}).encode()


def _hellos(who: Participant, *_: object) -> bool:
    """A14 of the journal, A15 of the audit topic: each is a fact about a participant, kept for ever."""
    hello = encode(who.greeting())
    flood(who, hello, times=FLOOD)
    return True


def _largest_hello(who: Participant, *_: object) -> bool:
    """A9: the weight scale must not follow."""
    flood(who, *(changed(who.greeting(), examples=number) for number in (2**40, 2**29 + 1, 0, -5, 1e300)))
    return True


def _bad_commits(who: Participant, _opened: RoundOpened, commit: Commit) -> bool:
    flood(who, encode(commit.model_copy(update={"base": "0" * 64})), times=FLOOD)
    return True  # comes too late: three are looked at


def _failures(who: Participant, opened: RoundOpened, _commit: Commit) -> bool:
    flood(who, encode(who.failed_for(opened, "\x1b[2J\n" + "x" * 2000)), times=FLOOD)
    return True  # a failure is final


def _strangers(who: Participant, opened: RoundOpened, commit: Commit) -> bool:
    """Commits for other runs, rounds, attempts and nonces, and one of another participant."""
    astray = [
        {"run": "another.run.00000000"},
        {"round": opened.round - 1},
        {"round": 2**31 - 1},
        {"attempt": 0},
        {"attempt": opened.attempt + 1},
        {"nonce": "f" * 32},
    ]
    flood(who, *(encode(commit.model_copy(update=members)) for members in astray), times=FLOOD // 10)
    old = [record.value or b"" for record in who.rig.view.read_to_end(who.topic)]
    flood(who, *(value for value in old if b'"commit"' in value and len(value) < 10_000))
    return True


def _anothers_commit(who: Participant, opened: RoundOpened, _commit: Commit) -> bool:
    """What `a` wrote for this very attempt, whose chunks are not in the foe's topic."""
    stolen: list[bytes] = []

    def found() -> bool:
        said = [record.value or b"" for record in who.rig.view.read_to_end(who.rig.topics.update("a"))]
        stolen.extend(value for value in said if b'"commit"' in value and opened.nonce.encode() in value)
        return bool(stolen)

    eventually(found, "the commit of a")
    flood(who, b"in place of a's chunks", times=100, partition=BULK_PARTITION)
    flood(who, stolen[0], times=FLOOD // 10)
    return False


def _orders(who: Participant, opened: RoundOpened, commit: Commit) -> bool:
    """Records of the journal, the audit topic and the spec topic, where no one looks for them."""
    here = {"epoch": 10**6, "seq": 1}
    place = {"round": opened.round, "attempt": opened.attempt, "participant": who.name}
    assert opened.base is not None
    said: list[Record] = [
        AggregatorStarted(software="foe", epoch=10**6),
        UpdateAccepted(**here, **place, offset=0),
        RoundClosed(**here, round=opened.round, attempt=1, model=opened.base, accepted=9, rejected=0, evaluate=True),
        RunFailed(**here, reason=FailReason.JOURNAL_LOST, message="by the foe"),
        RunCompleted(**here, reason="RoundsDone"),
        UpdateAudited(**here, **place, offset=0, accepted=True),
        Spec(generation=10**6, participants=("foe",), rounds=Rounds(count=1), suspend=True),
    ]
    flood(who, *(encode(record) for record in said), b'{"type":"of-a-later-version","v":1}')
    return True


def _sizes(who: Participant, _opened: RoundOpened, commit: Commit) -> bool:
    """Claims beyond every bound: refused as they are read, so nothing is made for them."""
    pointer = json.loads(encode(commit))["update"]
    flood(
        who,
        changed(commit, update={**pointer, "offsets": [1] * 65_537}),
        changed(commit, update={**pointer, "offsets": [2**63]}),
        changed(commit, update={**pointer, "offsets": [1e18]}),
        changed(commit, examples=2**60),
        changed(commit, metrics={f"m{number}": 1.0 for number in range(17)}),
        changed(commit, metrics={"x" * 64: 1.0}),
        changed(commit, metrics={"line\nbreak": 1.0}),
        encode(commit).replace(b'"metrics":{', b'"metrics":{"nan":NaN,'),
        encode(commit).replace(b'"metrics":{', b'"metrics":{"huge":1e999,'),
        changed(commit, encoding="Float64"),
        changed(commit, more="x" * 100_000),
    )
    return True


def _rubbish(who: Participant, *_: object) -> bool:
    """On both partitions: what is no JSON, what is too large, chunks among words, words among chunks."""
    kinds = [b"", b"\xff{", b"[]", b"[" * 100_000, b"x" * LARGE, b'{"type":"alive","v":1,"x":"' + b"x" * LARGE + b'"}']
    flood(who, *kinds, times=10)
    flood(who, *kinds, encode(who.greeting()), times=10, partition=BULK_PARTITION)
    chunk = b"\0" * 16_384
    producer = Producer({"bootstrap.servers": who.rig.bootstrap})
    headers = ChunkHeaders(bytes(16), 0, chunk_digest(chunk)).encode()
    for partition in (CONTROL_PARTITION, BULK_PARTITION):
        for _ in range(100):
            producer.produce(who.topic, chunk, partition=partition, headers=[*headers, *[("h", b"y" * 100)] * 100])
    assert producer.flush(60) == 0
    return True


def _names_without_text(who: Participant, _opened: RoundOpened, commit: Commit) -> bool:
    """A sound upload, but for a header beside each chunk whose name is not UTF-8."""
    mark = secrets.token_bytes(UPLOAD_BYTES)
    chunks = chunks_of(np.zeros(who.rig.layout.coordinates, dtype=np.float32), who.rig.layout)
    digests = [chunk_digest(chunk.data) for chunk in chunks]
    _, first = who.rig.view.watermarks(who.topic, BULK_PARTITION)
    with RawProducer(who.rig.bootstrap) as producer:
        for index, (chunk, digest) in enumerate(zip(chunks, digests, strict=True)):
            headers = [(name.encode(), value) for name, value in ChunkHeaders(mark, index, digest).encode()]
            producer.produce(who.topic, BULK_PARTITION, chunk.tobytes(), [(b"\xff\xfe", b""), *headers])
    offsets = [first + index for index in range(len(chunks))]
    pointer = Pointer.of(upload=mark, offsets=offsets, digest=root_digest(digests))
    flood(who, encode(commit.model_copy(update={"update": pointer})), times=FLOOD // 10)
    return True  # comes too late: three are looked at


def _evaluations(who: Participant, opened: RoundOpened, commit: Commit) -> bool:
    """Of models that nobody asked about."""
    assert opened.base is not None
    answer = Evaluated(
        run=who.rig.topics.run,
        round=opened.round,
        model=opened.base.pointer.digest,
        examples=2**29,
        metrics={"mean": 1e308},
    )
    flood(who, encode(answer), encode(answer.model_copy(update={"round": 2**31 - 1})), times=FLOOD // 2)
    return True


def _comings_and_goings(who: Participant, *_: object) -> bool:
    """A15: each would be two records in the journal. Whoever does so must wait before it may join again."""
    flood(who, b'{"type":"bye","v":1}', encode(who.greeting()), times=FLOOD // 2)
    return False


KINDS: dict[str, tuple[Saying, bool]] = {
    # what it does, and whether its sound commit counts
    "many hellos": (_hellos, True),
    "a hello of 2^40 examples": (_largest_hello, True),
    "many bad commits": (_bad_commits, False),
    "many failures": (_failures, False),
    "commits for something else": (_strangers, True),
    "another's commit": (_anothers_commit, False),
    "orders": (_orders, True),
    "sizes beyond all bounds": (_sizes, True),
    "rubbish on both partitions": (_rubbish, True),
    "names of headers that are no text": (_names_without_text, False),
    "evaluations of other models": (_evaluations, True),
    "many comings and goings": (_comings_and_goings, False),
}
