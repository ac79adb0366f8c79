"""Ctrl-C at the two points of a round at which most is under way, for certain and not by luck, and what is left then.

Both are held there: a participant in its training, and an aggregator that publishes (`held_fedka.py`), which is killed
when its grace is over. The run is the same all the time, so its model tells whether one of them cost it a round.
"""

import os
import signal
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import fedka
from fedka import exit_codes

from ..cli.trainings import APP, training
from .traces import Machine

pytestmark = pytest.mark.kafka
ROUNDS = 5
HELD = APP.replace(
    "    time.sleep",
    """
    import pathlib
    if context.participant == "bank-a" and context.round == 3 and pathlib.Path("collecting").exists():
        pathlib.Path("collecting").read_bytes()
    time.sleep""",
)


def install(place: Path) -> list[str]:
    """A Python that has all of this one's packages, and a `fedka` of its own; how to run that."""
    venv.create(place, symlinks=True)
    paths = (sysconfig.get_path("purelib"), str(Path(fedka.__file__).parents[1]))
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(place)}))
    (packages / "packages.pth").write_text("\n".join(paths))
    command = place / "bin" / "fedka"
    command.write_text(f"#!{place}/bin/python\n{Path(__file__).with_name('held_fedka.py').read_text()}")
    command.chmod(0o755)
    return [str(place / "bin" / "python"), str(command)]


def test_ctrl_c_leaves_nothing_and_costs_no_round(machine: Machine, kafka, tmp_path: Path) -> None:
    machine.program = install(tmp_path / "installation")
    machine.app(HELD)
    file = machine.write(training(rounds={"count": ROUNDS}))
    arguments = ("run", file, "--state-dir", "state", "--grace", "1", "--bootstrap-servers", kafka.bootstrap_servers)
    for phase in ("collecting", "closing"):
        held = machine.path / phase
        os.mkfifo(held)
        running = machine.start(*arguments)
        with held.open("wb"):  # which waits for whoever is to be held
            running.send(signal.SIGINT)
            assert running.wait() == exit_codes.INTERRUPTED, running.stderr
        held.unlink()
        assert "stopped in round 3 of 5, with 2 rounds completed" in running.stderr
        assert "Traceback" not in running.stderr
        assert machine.left_behind() == []
        assert machine.litter() == []
    last = machine.start(*arguments, "--model-out", "model.safetensors")
    assert last.wait() == exit_codes.OK, last.stderr
    assert np.all(load_file(machine.path / "model.safetensors")["weights"] == ROUNDS)
    assert machine.left_behind() == []
    assert machine.litter() == []
