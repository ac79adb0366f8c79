import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedka.wire import records as r
from fedka.wire.codec import (
    Decoder,
    MalformedRecord,
    RecordTooLarge,
    audit_decoder,
    control_decoder,
    encode,
    journal_decoder,
    spec_decoder,
)

from .arbitrary import ALL_TYPES, AUDIT_TYPES, CONTROL_TYPES, JOURNAL_TYPES, a

EVERYTHING: Decoder[r.Record] = Decoder(*ALL_TYPES)
ANY_RECORD = st.sampled_from(ALL_TYPES).flatmap(a)
LONGEST_REASON = 600  # what is refused ends in an audit record's message, which takes 2048 characters
ALIVE = b'{"type":"alive","v":1}'


def refused(data: bytes | None) -> str:
    with pytest.raises(MalformedRecord) as caught:
        EVERYTHING.decode(data)
    assert 0 < len(str(caught.value)) <= LONGEST_REASON
    return str(caught.value)


@pytest.mark.parametrize("kind", ALL_TYPES, ids=lambda kind: kind.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_record_type_comes_back_as_it_was_written(kind: type[r.Record], data: st.DataObject) -> None:
    record = data.draw(a(kind))
    assert EVERYTHING.decode(encode(record)) == record


@pytest.mark.parametrize("kind", ALL_TYPES, ids=lambda kind: kind.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_record_type_has_one_form_only(kind: type[r.Record], data: st.DataObject) -> None:
    written = encode(data.draw(a(kind)))
    again = EVERYTHING.decode(written)
    assert again is not None
    assert encode(again) == written


def test_names_in_json_are_camel_case() -> None:
    spec = r.Spec(generation=1, participants=("a",), rounds=r.Rounds(count=1))
    assert {"maxNorm", "maxModelBytes"} <= json.loads(encode(spec)).keys()


def test_no_two_record_types_share_a_name() -> None:
    names = [kind.model_fields["type"].default for kind in ALL_TYPES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("decoder", "own"),
    [
        (journal_decoder(), JOURNAL_TYPES),
        (audit_decoder(), AUDIT_TYPES),
        (control_decoder(), CONTROL_TYPES),
        (spec_decoder(), (r.Spec,)),
    ],
    ids=["journal", "audit", "control", "spec"],
)
@given(record=ANY_RECORD)
def test_a_topic_s_decoder_reads_its_own_types_and_passes_over_all_others(
    decoder: Decoder[r.Record], own: tuple[type[r.Record], ...], record: r.Record
) -> None:
    assert decoder.decode(encode(record)) == (record if isinstance(record, own) else None)


@given(st.text(st.characters(exclude_categories=["Cs"])).filter(lambda t: t not in EVERYTHING._adapters))
def test_an_unknown_type_is_passed_over_whatever_else_it_holds(name: str) -> None:
    assert EVERYTHING.decode(json.dumps({"type": name, "v": 1, "what": [1, {"ever": None}]}).encode()) is None


@given(st.binary(max_size=600))
def test_arbitrary_bytes_raise_nothing_but_malformed_record(data: bytes) -> None:
    try:
        record = EVERYTHING.decode(data)
    except MalformedRecord as error:
        assert len(str(error)) <= LONGEST_REASON  # noqa: PT017  both outcomes are allowed, others are not
    else:
        assert record is None or isinstance(record, r.Record)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(record=ANY_RECORD, data=st.data())
def test_a_record_with_any_member_replaced_by_any_json_is_read_or_refused(
    record: r.Record, data: st.DataObject
) -> None:
    document = json.loads(encode(record))
    document[data.draw(st.sampled_from(sorted(document)))] = data.draw(JSON)
    try:
        again = EVERYTHING.decode(json.dumps(document).encode())
    except MalformedRecord:
        return
    assert again is None or EVERYTHING.decode(encode(again)) == again


@given(record=ANY_RECORD, data=st.data())
def test_a_record_cut_or_with_a_byte_changed_is_read_or_refused(record: r.Record, data: st.DataObject) -> None:
    written = bytearray(encode(record))
    where = data.draw(st.integers(0, len(written) - 1))
    if data.draw(st.booleans()):
        del written[where:]
    else:
        written[where] ^= data.draw(st.integers(1, 255))
    try:
        again = EVERYTHING.decode(bytes(written))
    except MalformedRecord:
        return
    assert again is None or isinstance(again, r.Record)


@given(record=ANY_RECORD, name=st.text("abcdefgh", min_size=9, max_size=12))
def test_a_member_that_the_type_does_not_have_is_refused(record: r.Record, name: str) -> None:
    document = json.loads(encode(record)) | {name: 1}
    assert name in refused(json.dumps(document).encode())


@pytest.mark.parametrize("version", ["0", "2", "-1", "null", '"1"', "true", "1.0", "1e0", "[1]", "9" * 4000])
def test_a_version_other_than_the_integer_1_is_refused(version: str) -> None:
    assert "version" in refused(ALIVE.replace(b":1", b":" + version.encode()))


def test_a_version_of_an_unknown_type_is_looked_at_before_it_is_passed_over() -> None:
    refused(b'{"type":"from.the.future","v":2}')


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b"null", b"1", b'"alive"', b'{"v":1}', b'{"type":7,"v":1}'])
def test_what_is_not_an_object_with_a_type_is_refused(document: bytes) -> None:
    refused(document)


def test_a_record_without_a_value_is_refused() -> None:
    refused(None)


@pytest.mark.parametrize("bracket", [b"[", b'{"a":'], ids=["arrays", "objects"])
def test_json_of_any_depth_is_refused(bracket: bytes) -> None:
    for depth in (150, 1000, 40_000):
        refused(b'{"type":"alive","v":1,"x":' + bracket * depth)


def test_a_record_above_256_kib_is_refused_before_it_is_parsed() -> None:
    padding = r.MOST_RECORD_BYTES - len(ALIVE)
    assert EVERYTHING.decode(ALIVE + b" " * padding) == r.Alive()
    assert "262144" in refused(ALIVE + b" " * (padding + 1))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, '"inf"', '"nan"'])
def test_a_metric_that_is_not_finite_is_refused(value: str) -> None:
    evaluated = r.Evaluated(run="r", round=1, model="a" * 64, examples=1, metrics={"loss": 0.5})
    assert "loss" in refused(encode(evaluated).replace(b"0.5", value.encode()))


@pytest.mark.parametrize("examples", ["0", "-1", str(2**29 + 1), str(2**60), "9" * 4200, '"' + "9" * 9000 + '"'])
def test_examples_outside_of_1_to_2_to_the_29_are_refused(examples: str) -> None:
    hello = r.Hello(examples=1, layout="a" * 64, software="s", instance="b" * 32)
    refused(encode(hello).replace(b'"examples":1', b'"examples":' + examples.encode()))


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"type":"%s","v":2}' % (b"x" * 200_000),
        b'{"type":"alive","v":1,"%s":1}' % (b"x" * 200_000),
        b'{"type":"alive","v":"%s"}' % (b"x" * 200_000),
        b'{"type":"alive","v":%s}' % (b"9" * 4300),
    ],
    ids=["type", "member", "version as text", "version of 4300 digits"],
)
def test_what_is_said_of_a_refused_record_is_short_however_long_its_parts_are(hostile: bytes) -> None:
    refused(hostile)


def test_of_a_type_given_twice_the_last_is_taken_by_header_and_body_alike() -> None:
    assert EVERYTHING.decode(b'{"type":"bye","type":"alive","v":1}') == r.Alive()
    refused(b'{"type":"alive","type":"hello","v":1}')


def test_a_record_that_no_reader_would_accept_is_not_written() -> None:
    taken = tuple(r.Taken(participant=f"participant-{n:04}", offset=2**62 + n) for n in range(4096))
    closing = r.RoundClosing(round=1, attempt=1, accepted=taken)
    with pytest.raises(RecordTooLarge, match=r"round\.closing record of \d+ bytes exceeds the limit of 262144"):
        encode(closing)


def test_a_closing_with_the_most_participants_fits_where_offsets_are_of_a_real_run() -> None:
    taken = tuple(r.Taken(participant=f"p{n:04}", offset=900_000 + n) for n in range(4096))
    closing = r.RoundClosing(round=1, attempt=1, accepted=taken)
    assert EVERYTHING.decode(encode(closing)) == closing


@pytest.mark.parametrize("number", ["1e0", "1.0", '"1"', "true"])
def test_an_integer_is_written_as_one(number: str) -> None:
    """What is lax here would be longer where it is written again: 1e18 has 4 bytes, the integer 19."""
    record = f'{{"type":"failed","v":1,"run":"r","round":{number},"attempt":1,"nonce":"{"0" * 32}","message":""}}'
    assert "round" in refused(record.encode())


@pytest.mark.parametrize("share", ["U%", "%", "80", "-5%", "\N{FULLWIDTH DIGIT EIGHT}%", "1e2%", -1])
def test_a_share_that_is_no_percentage_is_refused(share: str | int) -> None:
    document = json.loads(encode(r.Spec(generation=1, participants=("a",), rounds=r.Rounds(count=1))))
    document["rounds"]["overSelection"] = share
    with pytest.raises(MalformedRecord, match="overSelection"):
        spec_decoder().decode(json.dumps(document).encode())
