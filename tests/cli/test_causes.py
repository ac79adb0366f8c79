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
    assert cause_of(words) == "importing fraud raised KeyError\nKeyError: 'x'"


def test_without_a_logged_error_the_last_line_is_told():
    assert cause_of("one\ncannot execute 'fedka': No such file or directory\n\n") == (
        "cannot execute 'fedka': No such file or directory"
    )


def test_an_empty_log_has_no_cause():
    assert cause_of("") == ""
