"""Any process of aggregator and participants killed at any moment: the model is that of a run that nobody disturbs.

`pytest --long` kills a hundred times over a hundred rounds. What is drawn is printed with its seed, and when a process
really dies is left to the machine: a failure is looked into with its journal, not by drawing again.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer
from fedka.wire.records import ParticipantLost

from ..e2e.small_app import NAME, SOURCE
from ..integration.rig import Rig
from ..participant.process import write_bundle
from .conftest import NewRig
from .restarted import Restarted
from .undisturbed import SEED, undisturbed_digests

NAMES = ("bank-a", "bank-b", "bank-c")
PATIENCE = 120.0
SEED_OF_KILLS = 20261124
LONGEST_PAUSE_RECORDS = 9  # of the journal between two kills: a round has seven


@pytest.mark.kafka
@pytest.mark.timeout(1800)
def test_kills_at_random_change_nothing(kafka: KafkaServer, new_rig: NewRig, tmp_path: Path, long_mode: bool) -> None:
    kills = rounds = 100 if long_mode else 15
    rig = new_rig(kafka, *NAMES)
    rig.spec(rounds={"count": rounds, "quorum": "100%", "deadline_seconds": 600})
    drawn = random.Random(SEED_OF_KILLS)  # noqa: S311  no secret
    with everybody(rig, kafka, tmp_path) as running:
        for _ in range(kills):
            seen = len(rig.journal.records) + drawn.randint(1, LONGEST_PAUSE_RECORDS)
            rig.journal.wait(lambda journal, seen=seen: len(journal.records) >= seen or journal.state.ended, "progress")
            drawn.choice(running).kill()
        rig.journal.wait(lambda journal: journal.state.ended, "the end of the run")
        assert [each.wait(PATIENCE) for each in running] == [exit_codes.OK] * len(running)
        died = sum(code < 0 for each in running for code in each.codes)
    print(f"{kills} kills, of which {died} met somebody alive, over {rounds} rounds")  # noqa: T201  for --long
    state = rig.journal.state
    assert state.completed_by is not None
    assert (state.completed, state.missed) == (rounds, 0)
    assert rig.journal.of(ParticipantLost) == []
    assert [f"blake3:{digest}" for digest in rig.journal.digests] == undisturbed_digests(rounds, NAMES)
    assert died > kills / 2, "a kill may meet who is dead already; most have to meet somebody at work"


@contextmanager
def everybody(rig: Rig, kafka: KafkaServer, home: Path) -> Iterator[list[Restarted]]:
    """The aggregator and the participants, each in a process of its own."""
    (home / f"{NAME}.py").write_text(SOURCE)
    commands = {"aggregator": ["-m", "fedka", "aggregator", "--unsupervised", "--bundle", str(rig.bundle)]}
    for name in NAMES:
        bundle = write_bundle(
            home / name,
            name=name,
            run=rig.topics.run,
            bootstrap=kafka.bootstrap_servers,
            entrypoint=f"{NAME}:app",
            seed=SEED,
        )
        commands[name] = ["-m", "fedka", "participant", "--unsupervised", "--bundle", str(bundle)]
    running = [Restarted(name, command, where=home, log=home / f"{name}.log") for name, command in commands.items()]
    try:
        yield running
    finally:
        for each in running:
            each.close()
            print(f"--- {each.name} {each.codes}\n{each.last_words()}")  # noqa: T201  pytest shows it where a test fails
