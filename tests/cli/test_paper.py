"""Tables on stdout."""

import io

from rich.console import Console

from fedka.cli.paper import WIDTH_IN_A_FILE, print_table
from fedka.cli.round_rows import Rejection, Row, rounds_table


def test_no_number_is_cut_off_where_many_do_not_fit(capsys):
    metrics = {f"accuracy-of-group-{number}": number / 4 for number in range(20)}
    refused = tuple(Rejection(f"bank-{number}", "OutOfRange", "") for number in range(3))
    print_table(rounds_table([Row(7, 1.5, 2, 3, missed=False, metrics=metrics, rejections=refused)]))
    out = capsys.readouterr().out
    line = next(line.split() for line in out.splitlines() if line.split()[:2] == ["7", "1.5"])
    assert sorted(map(float, line[4:24])) == sorted(metrics.values())
    assert all(name in out for name in ("Seconds", *metrics, "bank-2"))
    assert "…" not in out


def test_table_that_fits_folds_only_the_words_of_its_last_column(capsys):
    refused = tuple(Rejection(f"bank-{number}", "OutOfRange", "") for number in range(10))
    print_table(rounds_table([Row(7, 1.5, 2, 10, missed=False, metrics={}, rejections=refused)]))
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= WIDTH_IN_A_FILE


def test_where_rounds_are_shown_in_a_narrow_window_their_numbers_stay():
    narrow = Console(width=50, file=io.StringIO())
    metrics = {"test_score": 0.9, "train_score": 0.95}
    narrow.print(rounds_table([Row(98765, 1.234, 2, 10, missed=False, metrics=metrics)]))
    assert "98765 " in narrow.file.getvalue()
