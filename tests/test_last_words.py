"""What is left of a log's end where it is a traceback: a line with what was raised, and where."""

import pytest

from fedka.last_words import refusal_in, without_traceback

TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "/usr/lib/python3.11/importlib/__init__.py", line 126, in import_module\n'
    '  File "/code/fraud.py", line 12, in <module>\n'
    "    import numpyy\n"
    '  File "/x/lib/python3.11/site-packages/lazy.py", line 9, in find\n'
    "{raised}\n"
)


@pytest.mark.parametrize(
    ("logged", "raised", "line"),
    [
        ("importing fraud raised KeyError", "KeyError: 'x'", "importing fraud raised KeyError: 'x'"),
        ("importing fraud raised Refused", "bank.Refused: no", "importing fraud raised Refused: no"),
        ("the train function raised ValueError: bad", "ValueError: bad", "the train function raised ValueError: bad"),
        ("it imports a", "ModuleNotFoundError: No module", "it imports a: ModuleNotFoundError: No module"),
        ("importing fraud raised SystemExit", "SystemExit", "importing fraud raised SystemExit"),
    ],
)
def test_what_was_logged_and_what_was_raised_are_one_line_with_the_users_place(logged, raised, line):
    words = f"12:00:01 ERROR   bank-a: {logged}\n{TRACEBACK.format(raised=raised)}supervisor: ended with code 1\n"
    assert without_traceback(words) == f"{line} (at /code/fraud.py, line 12)"


def test_of_an_exceptions_message_the_first_line_is_told():
    words = "12:00:01 ERROR   bank-a: it failed: first\nsecond\n" + TRACEBACK.format(raised="E: third\nfourth")
    assert without_traceback(words) == "it failed: first: E: third (at /code/fraud.py, line 12)"


def test_traceback_whose_head_was_cut_off_is_one_all_the_same():
    words = TRACEBACK.format(raised="OSError: no")[60:]
    assert without_traceback(words) == "OSError: no (at /code/fraud.py, line 12)"


def test_exception_of_a_library_alone_has_no_place():
    words = 'Traceback (most recent call last):\n  File "/x/site-packages/fedka/wire/codec.py", line 1, in a\nE: no\n'
    assert without_traceback(words) == "E: no"


@pytest.mark.parametrize(
    "words",
    [
        "",
        "cannot execute 'fedka': No such file or directory\n",
        "12:00:01 ERROR   bank-a: there is no module x; looked in\n  /here\n  /there\n",
        f"12:00:01 WARNING bank-a: again\n{TRACEBACK.format(raised='E: no')}12:00:02 ERROR   bank-a: it is over\n",
        f"12:00:01 WARNING bank-a: again\n{TRACEBACK.format(raised='E: no')}12:00:02 INFO    bank-a: round 2\n",
        'Traceback (most recent call last):\n  File "fraud.py", line 1, in <module>\n',
    ],
)
def test_other_last_words_stay_as_they_are(words):
    assert without_traceback(words) == words


REFUSAL = "Kafka refuses its user or a right of it: x lacks Describe on topic y"


@pytest.mark.parametrize(
    ("said_after", "told"),
    [
        ("", REFUSAL),
        ("supervisor: ended with code 1, 7 times in a row: giving up", REFUSAL),
        ("12:00:02 ERROR   aggregator: FAIL [writer#producer-2] kafka:9093: SASL authentication error", REFUSAL),
        ("12:00:02 ERROR   aggregator: the journal is broken", ""),
    ],
)
def test_a_refusal_is_told_by_the_last_error_that_is_ours(said_after: str, told: str):
    words = f"12:00:00 INFO    aggregator: epoch 1\n12:00:01 ERROR   aggregator: {REFUSAL}\n{said_after}"
    assert refusal_in(words) == told


def test_who_only_mentions_a_refusal_was_not_refused():
    assert refusal_in(f"12:00:01 ERROR   a: the app raised: {REFUSAL}") == ""
    assert refusal_in(f"{REFUSAL}") == ""
