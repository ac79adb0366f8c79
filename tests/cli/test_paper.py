"""Tables on stdout."""

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
