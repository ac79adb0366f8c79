import threading
from collections.abc import Callable

from fedka.kafka.errors import WriteFailed
from fedka.kafka.writer import Outcome, Written
from fedka.participant.presence import Heartbeat
from fedka.wire.records import Alive, Record

PATIENCE = 20.0  # seconds; only a failure takes them


class Ear:
    """Hears what a heartbeat says, and answers by `outcome`; None: it leaves the word unanswered."""

    def __init__(self, outcome: Callable[[], Outcome | None]) -> None:
        self.heard: list[Record] = []
        self.thrice = threading.Event()
        self._outcome = outcome

    def say_soon(self, record: Record, done: Callable[[Outcome], None]) -> None:
        self.heard.append(record)
        if len(self.heard) >= 3:
            self.thrice.set()
        outcome = self._outcome()
        if outcome is not None:
            done(outcome)


def test_alive_is_said_again_and_again_while_the_main_thread_is_busy():
    ear = Ear(lambda: Written(offset=0, time_ms=0))
    heartbeat = Heartbeat(ear.say_soon, seconds=0.001)
    heartbeat.start()
    assert ear.thrice.wait(PATIENCE)
    heartbeat.stop()
    assert set(ear.heard) == {Alive()}


def test_a_word_that_was_not_heard_does_not_end_it(caplog):
    ear = Ear(lambda: WriteFailed("the broker is away"))
    heartbeat = Heartbeat(ear.say_soon, seconds=0.001)
    heartbeat.start()
    assert ear.thrice.wait(PATIENCE)
    heartbeat.stop()
    assert "alive was not heard: the broker is away" in caplog.text


def test_a_word_that_cannot_be_handed_over_does_not_end_it():
    def full() -> Outcome:
        raise WriteFailed("the queue is full")

    ear = Ear(full)
    heartbeat = Heartbeat(ear.say_soon, seconds=0.001)
    heartbeat.start()
    assert ear.thrice.wait(PATIENCE)
    heartbeat.stop()


def test_during_an_outage_words_do_not_pile_up():
    class TenWakes(threading.Event):
        """Lets the heartbeat wake ten times without a pause, then ends it."""

        wakes = 0

        def wait(self, timeout: float | None = None) -> bool:
            assert timeout == 600.0
            self.wakes += 1
            return self.wakes > 10

    ear = Ear(lambda: None)
    heartbeat = Heartbeat(ear.say_soon, seconds=600.0, stopping=TenWakes())
    heartbeat.start()
    heartbeat.stop()
    assert len(ear.heard) == 1


def test_stopping_one_that_never_started_does_nothing():
    Heartbeat(Ear(lambda: None).say_soon, seconds=600.0).stop()


def test_after_stop_nothing_is_said():
    ear = Ear(lambda: Written(offset=0, time_ms=0))
    heartbeat = Heartbeat(ear.say_soon, seconds=600.0)
    heartbeat.start()
    heartbeat.stop()
    assert ear.heard == []
