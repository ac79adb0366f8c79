import pytest

from fedka.wire.codec import MalformedRecord, control_decoder
from fedka.wire.lines import is_name, one_line
from fedka.wire.records import Failed, Hello

SAID = {"run": "r", "round": 1, "attempt": 1, "nonce": "0" * 32}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the loss is NaN", "the loss is NaN"),
        ("first\n\tsecond\r\nthird ", "first second third"),
        ("\x1b[2Jgone", "\N{REPLACEMENT CHARACTER}[2Jgone"),
        ("abc\u202edef\u200b", "abc\N{REPLACEMENT CHARACTER}def\N{REPLACEMENT CHARACTER}"),
        ("größer als 日本", "größer als 日本"),
        ("", ""),
    ],
)
def test_text_is_shown_on_one_line_and_without_what_cannot_be_printed(text: str, shown: str) -> None:
    assert one_line(text) == shown


@pytest.mark.parametrize(
    ("name", "fine"), [("f1 (macro)", True), ("précision", True), ("a\nb", False), ("\x1b", False)]
)
def test_names_can_be_printed(name: str, fine: bool) -> None:
    assert is_name(name) is fine


def test_what_a_participant_says_of_itself_is_one_line() -> None:
    hello = Hello(examples=1, layout="0" * 64, software="x\n\x1b]0;y\x07", instance="0" * 32)
    assert hello.software.isprintable()
    assert Failed(**SAID, message="ValueError:\nbad row").message == "ValueError: bad row"


def test_a_refusal_that_quotes_a_record_is_one_line() -> None:
    with pytest.raises(MalformedRecord) as caught:
        control_decoder().decode(b'{"type":"alive","v":1,"a\\nb\\u001b":1}')
    assert str(caught.value).isprintable()
