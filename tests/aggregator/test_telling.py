from fedka.aggregator.telling import PER_SECONDS, TOLD, Telling


def test_a_few_are_told_of_each_participant_in_a_while() -> None:
    now = [100.0]
    telling = Telling(lambda: now[0])
    assert [telling.may("a") for _ in range(50)] == [True] * TOLD + [False] * (50 - TOLD)
    assert telling.may("b"), "one who floods silences nobody else"
    now[0] += PER_SECONDS
    assert [telling.may("a") for _ in range(50)].count(True) == TOLD
