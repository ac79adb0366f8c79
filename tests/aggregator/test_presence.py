from fedka.aggregator.presence import CHANGES, PER_SECONDS, Presence

ALIVE = 10.0


def watched(*names: str) -> Presence:
    presence = Presence(ALIVE)
    presence.restart(0.0)
    presence.track(names, 0.0)
    return presence


def test_who_misses_three_intervals_is_lost() -> None:
    presence = watched("a", "b")
    for now in (9.0, 18.0, 27.0):
        presence.heard("a", now)
    assert presence.lost(30.9) == []
    assert presence.lost(31.1) == ["b"]


def test_a_newcomers_time_begins_when_it_comes() -> None:
    presence = watched("a")
    presence.track(["a", "b"], 20.0)
    assert presence.lost(32.0) == ["a"]


def test_who_is_no_longer_watched_is_not_lost() -> None:
    presence = watched("a")
    presence.track([], 1.0)
    assert (presence.lost(100.0), presence.next_check()) == ([], None)


def test_the_end_of_everybodys_silence_gives_everybody_new_time() -> None:
    presence = watched("a", "b", "c")
    presence.heard("a", 60.0)
    assert presence.lost(61.0) == []
    assert presence.lost(92.0) == ["a", "b", "c"]


def test_a_restart_gives_everybody_new_time() -> None:
    presence = watched("a")
    presence.restart(30.0)
    assert presence.lost(60.0) == []


def test_everybodys_silence_is_noticed_once_an_interval() -> None:
    presence = watched("a")
    assert [presence.is_silent(now) for now in (10.0, 11.5, 12.0, 22.0, 23.0)] == [False, True, False, False, True]


def test_nobodys_silence_is_no_silence() -> None:
    assert not watched().is_silent(100.0)


def test_the_next_check_is_that_of_silence_then_that_of_the_first_lost() -> None:
    presence = watched("a", "b")
    assert presence.next_check() == 11.0
    for now in (9.0, 18.0, 27.0):
        presence.heard("a", now)
    assert presence.next_check() == 31.0


def test_joining_is_bounded_in_time() -> None:
    presence = watched()
    assert [presence.may_join("a", float(now)) for now in range(CHANGES + 2)] == [True] * CHANGES + [False] * 2
    assert presence.may_join("b", 5.0)
    assert presence.may_join("a", PER_SECONDS)
