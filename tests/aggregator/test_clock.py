from fedka.aggregator.clock import BrokerClock


def test_the_brokers_time_goes_on_with_the_monotonic_clock() -> None:
    clock = BrokerClock(1_000_000, 50.0)
    assert clock.now_ms(52.5) == 1_002_500


def test_a_time_of_the_broker_has_its_monotonic_time() -> None:
    clock = BrokerClock(1_000_000, 50.0)
    assert clock.at(1_002_500) == 52.5
    assert clock.now_ms(clock.at(7_777)) == 7_777


def test_a_newer_record_sets_it_anew() -> None:
    clock = BrokerClock(1_000_000, 50.0)
    clock.observe(1_000_900, 51.0)
    assert clock.now_ms(51.0) == 1_000_900
