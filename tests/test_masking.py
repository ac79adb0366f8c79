"""Tokens for card numbers. The numbers are the ones that card networks and payment services publish for tests."""

import hashlib
import hmac
import stat
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedka.masking import (
    CardMask,
    KeyUnusable,
    NotACardNumber,
    find_card_numbers,
    is_card_number,
    make_key,
    parse_key,
    read_key,
)

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
VISA, MASTERCARD, AMEX, MAESTRO = "4111111111111111", "5555555555554444", "378282246310005", "6759649826438453"
LONG, SHORT = "6304000000000000000", "501800000009"
ALL = [VISA, MASTERCARD, AMEX, MAESTRO, LONG, SHORT]
MASK = CardMask(KEY)


def check_digit(digits: str) -> str:
    """By the definition: every second digit from the right counts twice, as the sum of its digits."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value // 10 + value % 10
    return str(-total % 10)


def numbers() -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=11, max_size=18).map(lambda digits: digits + check_digit(digits))


@pytest.mark.parametrize("number", ALL)
def test_published_test_numbers_are_card_numbers(number):
    assert is_card_number(number)


@given(numbers())
def test_a_number_with_its_check_digit_is_a_card_number_and_with_any_other_is_not(number):
    others = {number[:-1] + digit for digit in "0123456789"} - {number}
    assert is_card_number(number)
    assert not any(map(is_card_number, others))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "4111111111111112",
        "41111111111",
        "41111111111111111111",
        "4111  1111 1111 1111",
        "4111_1111_1111_1111",
        "-4111111111111111",
        "4111.1111.1111.1111",
        "4111111111111111.0",
        "4.111111111111111e15",
        "411111111111111x",
        "\uff14111111111111111",
        "4111\n1111\n1111\n1111",
    ],
)
def test_what_is_not_written_like_a_card_number_is_refused(text):
    assert not is_card_number(text)
    with pytest.raises(NotACardNumber):
        MASK.token(text)


def test_the_token_is_the_published_construction():
    message = b"fedka.masking.card/1\0" + b"\0\0\0\0" + VISA.encode()
    expected = hmac.new(KEY, message, hashlib.sha256).hexdigest()[:32]
    assert MASK.token(VISA) == "".join("abcdefghijklmnop"[int(digit, 16)] for digit in expected)


def test_the_token_never_changes():
    assert MASK.token(VISA) == "plnkokhpjaiiffdpmcgfhnckjhdohljg"


@pytest.mark.parametrize(
    "spelling", [VISA, "4111 1111 1111 1111", "4111-1111-1111-1111", "411111 1111-111111", f" {VISA}\n"]
)
def test_however_it_is_spelled_a_number_has_one_token(spelling):
    assert MASK.token(spelling) == MASK.token(VISA)


@given(st.lists(numbers(), min_size=2, max_size=20, unique=True))
def test_different_numbers_have_different_tokens(cards):
    assert len(set(MASK.tokens(cards))) == len(cards)


def test_under_another_key_a_number_has_another_token():
    assert CardMask(OTHER_KEY).token(VISA) != MASK.token(VISA)


def test_for_another_purpose_a_number_has_another_token():
    purposes = ["", "fraud", "statistics", f"fraud{VISA[:1]}"]
    assert len({CardMask(KEY, purpose=purpose).token(VISA) for purpose in purposes}) == len(purposes)


@given(numbers())
def test_a_token_has_no_digit_at_all(number):
    assert not any(character.isdigit() for character in MASK.token(number))


def test_the_last_four_digits_stand_behind_a_dash_where_they_are_wanted():
    assert CardMask(KEY, last_four=True).token("5555 5555 5555 4444") == f"{MASK.token(MASTERCARD)}-4444"


def test_a_column_keeps_its_order_and_length():
    column = [VISA, AMEX, "4111 1111 1111 1111", VISA]
    assert MASK.tokens(iter(column)) == [MASK.token(number) for number in column]


def test_a_column_says_which_row_is_wrong():
    with pytest.raises(NotACardNumber, match="row 2 "):
        MASK.tokens([VISA, AMEX, "4111111111111112"])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (4111111111111111, "of type int"),
        (4111111111111111.0, "of type float"),
        (None, "of type NoneType"),
        ("4111111111111112", "check digit"),
        ("41111111112", "11 digits"),
        ("4111 1111 1111 1112 visa", "not made of digits"),
    ],
)
def test_what_is_refused_is_described_and_not_repeated(value, reason):
    with pytest.raises(NotACardNumber, match=reason) as refused:
        MASK.token(value)
    told = "".join(traceback.format_exception(refused.value)).replace(__file__, "")
    assert "4111" not in "".join(character for character in told if character.isdigit())
    assert refused.value.__context__ is None


@pytest.mark.parametrize("key", [b"", b"secret", bytes(range(31))])
def test_a_short_key_is_refused_with_its_length(key):
    with pytest.raises(KeyUnusable, match=f"{len(key)} bytes; at least 32"):
        CardMask(key)


@pytest.mark.parametrize("key", [bytes(32), b"ab" * 32])
def test_a_key_that_cannot_be_random_is_refused(key):
    with pytest.raises(KeyUnusable, match="not random"):
        CardMask(key)


def test_the_key_is_not_shown():
    assert "key" not in repr(MASK)
    assert repr(KEY) not in repr(MASK)


def test_a_key_is_read_from_hexadecimal_text():
    assert parse_key(f" {KEY.hex()}\n") == KEY


@pytest.mark.parametrize("text", ["", "abc", "correct horse battery staple", "00" * 31, "00" * 32])
def test_a_text_that_is_no_key_is_refused_and_not_repeated(text):
    with pytest.raises(KeyUnusable) as refused:
        parse_key(text)
    assert not text or text not in str(refused.value)


def test_a_key_is_read_from_a_file(tmp_path):
    (tmp_path / "key").write_text(KEY.hex())
    assert read_key(tmp_path / "key") == KEY


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), (b"\xff\xfe", "not text"), (b"12", "1 bytes")])
def test_a_key_file_that_does_not_do_is_named(tmp_path, content, reason):
    path = tmp_path / "masking.key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KeyUnusable, match=reason) as refused:
        read_key(path)
    assert str(path) in str(refused.value)


def test_a_made_key_is_kept_for_its_owner_alone(tmp_path):
    path = tmp_path / "masking.key"
    key = make_key(path)
    assert (len(key), make_key(path), read_key(path)) == (32, key, key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["masking.key"]


def test_a_key_that_the_disk_does_not_take_leaves_nothing_of_it(tmp_path):
    limited = (
        "import resource, pathlib, fedka.masking as m\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))\n"
        f"m.make_key(pathlib.Path({str(tmp_path / 'masking.key')!r}))\n"
    )
    ended = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, timeout=60, check=False)
    assert "File too large" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_two_made_keys_are_the_same(tmp_path):
    assert make_key(tmp_path / "a") != make_key(tmp_path / "b")


def test_all_who_make_a_key_at_once_get_the_same(tmp_path):
    keys: list[bytes] = []
    ready = threading.Barrier(8)

    def make() -> None:
        ready.wait(60)
        keys.append(make_key(tmp_path / "masking.key"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(keys), len(set(keys))) == (8, 1)


@pytest.mark.parametrize(
    "text",
    [
        VISA,
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        f'{{"card":"{VISA}","amount":12}}',
        f"card={VISA};expires=12/29",
        f"paid with {VISA} 17 times",
        f"{VISA},{VISA[:4]}",
        f"x{VISA}y",
    ],
)
def test_a_number_is_found_in_a_text_and_in_bytes(text):
    assert VISA in find_card_numbers(text)
    assert VISA in find_card_numbers(b"\x00\xff" + text.encode() + b"\x00\xff")


def test_numbers_are_found_in_their_order():
    assert list(find_card_numbers(f"{VISA}, {AMEX}; {VISA}")) == [VISA, AMEX, VISA]


@given(st.lists(numbers(), max_size=5))
def test_no_number_among_other_text_is_missed(cards):
    text = "\n".join(f"{row}|{card}|12.50" for row, card in enumerate(cards))
    assert [found for found in find_card_numbers(text) if found in cards] == cards


@pytest.mark.parametrize(
    "text", ["", "4111111111111112", "12:30, 24.11.2026", "41111111111", VISA * 2, "4111/1111/1111/1111"]
)
def test_what_is_no_card_number_is_not_found(text):
    assert list(find_card_numbers(text)) == []


@given(st.lists(numbers(), max_size=5))
def test_nothing_is_found_among_tokens(cards):
    tokens = CardMask(KEY, last_four=True).tokens(cards)
    assert list(find_card_numbers(",".join(tokens))) == []


def test_masking_loads_neither_torch_nor_numpy():
    code = "import sys; import fedka.masking; print(sorted({'numpy', 'torch', 'pandas'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_the_example_in_the_docs_does_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[1] / "docs" / "masking.md").read_text()
    code = page.split("```python\n")[1].split("```")[0]
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102  our own page
    mask = CardMask(read_key(tmp_path / "masking.key"))
    assert found["mask"].token(VISA) == mask.token("4111 1111 1111 1111") == mask.token("4111-1111-1111-1111")
