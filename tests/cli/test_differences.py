"""Where two specs differ."""

from fedka.cli.differences import differences, ignored_changes

from .trainings import training


def test_innermost_members_are_named_and_items_go_by_their_names():
    before = {"rounds": {"count": 3, "seed": 1}, "participants": [{"name": "a"}, {"name": "b"}]}
    after = {"rounds": {"count": 4, "seed": 1}, "participants": [{"name": "b"}, {"name": "c"}], "suspend": True}
    assert list(differences("spec", before, after)) == [
        ("spec.rounds.count", 3, 4),
        ("spec.participants.a", {"name": "a"}, None),
        ("spec.participants.c", None, {"name": "c"}),
        ("spec.suspend", None, True),
    ]


def test_ended_run_says_which_changes_come_too_late():
    ended = {**training(), "status": {"phase": "Complete"}}
    text = ignored_changes(ended, training(rounds={"count": 10}))
    assert text.startswith("this run is Complete and does not go on")
    assert "(spec.rounds.count: 3 -> 10)" in text
    assert "give another --state-dir" in text


def test_nothing_is_said_without_a_change_or_of_a_run_that_goes_on():
    assert ignored_changes({**training(), "status": {"phase": "Complete"}}, training()) == ""
    assert ignored_changes({**training(), "status": {"phase": "Running"}}, training(rounds={"count": 10})) == ""
    assert ignored_changes(None, training()) == ""
