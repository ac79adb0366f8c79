"""Names that there are, told to whoever gave another one."""

from fedka.cli.names_known import did_you_mean, there_are


def test_those_that_look_like_it_are_meant():
    assert did_you_mean("bank-d", ["bank-a", "bank-b", "clinic"]).startswith("did you mean bank-")
    assert did_you_mean("bank-d", ["clinic"]) == ""


def test_no_more_are_named_than_can_be_read():
    assert there_are([f"n{number}" for number in range(10)]).endswith("n8, n9")
    assert there_are([f"n{number}" for number in range(11)]).endswith("n8, n9, ...")
