"""The cause that is told of a pod that failed, out of the end of its log."""

from fedka.cli.causes import cause_of


def test_last_error_wins_over_what_the_supervisor_says():
    words = "12:00:01 ERROR   bank-a: the app is wrong\nsupervisor: ended with code 1, 7 times in a row: giving up\n"
    assert cause_of(words) == "the app is wrong"


def test_message_of_several_lines_is_kept():
    words = (
        "12:00:01 ERROR   bank-a: there is no module x; looked in\n  /here\n  /there\n12:00:02 INFO    bank-a: bye\n"
    )
    assert cause_of(words) == "there is no module x; looked in\n  /here\n  /there"


def test_of_a_traceback_only_the_exception_is_kept():
    words = (
        "12:00:01 ERROR   bank-a: importing fraud raised KeyError\n"
        "Traceback (most recent call last):\n"
        '  File "fraud.py", line 1, in <module>\n'
        "    {}['x']\n"
        "KeyError: 'x'\n"
        "supervisor: ended with code 78\n"
    )
    assert cause_of(words) == "importing fraud raised KeyError\nKeyError: 'x'\n  at fraud.py, line 1"


def test_place_of_an_exception_is_the_users_innermost_line_and_not_a_librarys():
    words = (
        "12:00:01 ERROR   bank-a: the model function raised ValueError: bad\n"
        "Traceback (most recent call last):\n"
        '  File "/x/fedka/participant/learner.py", line 70, in made\n'
        '  File "fraud.py", line 12, in model\n'
        '  File "/x/lib/python3.11/site-packages/numpy/core.py", line 9, in dot\n'
        "ValueError: bad\n"
    )
    assert cause_of(words).splitlines()[-1] == "  at fraud.py, line 12"


def test_line_that_is_mere_news_is_no_cause():
    assert cause_of("12:00:00 INFO    bank-a: round 1: update accepted\n") == ""


def test_without_a_logged_error_the_last_line_is_told():
    assert cause_of("one\ncannot execute 'fedka': No such file or directory\n\n") == (
        "cannot execute 'fedka': No such file or directory"
    )


def test_an_empty_log_has_no_cause():
    assert cause_of("") == ""
