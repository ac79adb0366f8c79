"""The hospitals over a real Kafka must learn what the reference loop learns: the same models, to the last bit."""

import sys
from pathlib import Path

import pytest
import yaml

from fedka import exit_codes
from fedka.participant.entrypoint import load_app

from ..integration.rig import Rig
from ..participant.process import start, write_bundle
from ..reference_loop import reference_run

EXAMPLE = Path(__file__).parents[2] / "examples" / "hospital"
SPEC = yaml.safe_load((EXAMPLE / "training.yaml").read_text())["spec"]
NAMES = [participant["name"] for participant in SPEC["participants"]]
CONFIG = SPEC["app"]["config"]
SEED = SPEC["rounds"]["seed"]
ROUNDS = 8
PATIENCE = 120.0


@pytest.mark.kafka
def test_each_round_gives_the_model_of_the_reference_loop_though_a_hospital_is_killed(kafka, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))  # loading the app adds its folder
    rig = Rig(kafka.bootstrap_servers, tmp_path / "rig", NAMES)
    rig.spec(rounds={"count": ROUNDS, "quorum": "100%"})
    bundles = {
        name: write_bundle(
            tmp_path / name,
            name=name,
            run=rig.topics.run,
            bootstrap=kafka.bootstrap_servers,
            entrypoint=SPEC["app"]["entrypoint"],
            config=CONFIG,
            seed=SEED,
        )
        for name in NAMES
    }
    running = {name: start(bundle, EXAMPLE) for name, bundle in bundles.items()}
    try:
        rig.aggregator.start()
        rig.journal.wait(lambda journal: journal.state.round >= 2, "round 2")
        running["city"].kill()
        running["city"].communicate(timeout=PATIENCE)
        running["city"] = start(bundles["city"], EXAMPLE)
        rig.completed()
        logs = {name: process.communicate(timeout=PATIENCE)[1] for name, process in running.items()}
        assert {process.returncode for process in running.values()} == {exit_codes.OK}, logs
    finally:
        for process in running.values():
            process.kill()
            process.communicate()
        rig.close()
    expected = reference_run(load_app("hospital:app", EXAMPLE), dict.fromkeys(NAMES, CONFIG), seed=SEED, rounds=ROUNDS)
    assert rig.journal.digests == [model.digest for model in expected]
