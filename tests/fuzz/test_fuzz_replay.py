"""Replay reads logs that others wrote: whatever is in them, it comes to a verdict on each round that is claimed."""

import json
from random import Random

from fedka.aggregator.claims import read_claims
from fedka.aggregator.replay import Outcome, replay_rounds
from fedka.wire.journal import GENESIS, link

from ..wire.recorded_log import RecordedLog
from .corpus import logs, recorded
from .mutation import mutated


def copied(log: RecordedLog) -> RecordedLog:
    return log.until(2**63)


def sign_anew(log: RecordedLog) -> None:
    """What is an object with a chain gets the one that fits."""
    chain = GENESIS
    for record in log.journal():
        data = record.value or b""
        try:
            said = json.loads(data)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict) and "chain" in said:
            said["chain"] = chain.hex()
            data = json.dumps(said, separators=(",", ":")).encode("utf-8", "surrogatepass")
            log.change(record.topic, 0, record.offset, data)
        chain = link(chain, data)


def test_a_log_in_which_anything_was_changed_is_replayed_to_verdicts(count: int) -> None:
    outcomes = set()
    for number in range(count // 10):
        random = Random(f"replay {number}")  # noqa: S311  nothing here is a secret
        source = random.choice(logs())
        log = copied(source)
        for _ in range(random.randint(1, 3)):
            place = random.choice(list(log.places))
            offset = random.choice(list(log.places[place]))
            value = source.at(*place, offset).value or b""
            kind = place[0].split(".")[1]
            if kind == "model" or place[1] == 1:
                value = bytes([value[0] ^ 1]) + value[1:] if random.random() < 0.5 else value[: random.randrange(200)]
            else:
                value = mutated(random, [value, value, *recorded(kind)])
            log.change(*place, offset, value)
        sign_anew(log)
        claims = read_claims(log.journal())
        rounds = list(replay_rounds(log, claims, log.topics.run))
        assert [each.round for each in rounds] == [claim.closed.round for claim in claims.rounds], number
        outcomes |= {each.outcome for each in rounds}
    assert {Outcome.MATCHES, Outcome.DIFFERS} <= outcomes
