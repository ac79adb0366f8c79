"""How long a round takes that costs no training: `python bench/rounds.py --participants 2 --megabytes 4`.

Runs `fedka run` with N participants whose app adds 0.001 to a float32 model of M megabytes, and prints the durations of
the last ten rounds as the broker's clock has them (round.opened to round.closed). Broker, aggregator and participants
share the machine: quote medians and ratios. The first rounds of a broker are slow, so ask for many.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

APP = """
import numpy as np
import fedka

app = fedka.App()


@app.model
def model(context):
    return {"w": np.linspace(-1, 1, int(context.config["coordinates"]), dtype=np.float32)}


@app.examples
def examples(context):
    return 100


@app.train
def train(model, context):
    model["w"] += np.float32(0.001)
    return fedka.Trained(examples=100, metrics={"loss": 1.0})
"""


def training(participants: int, megabytes: float, rounds: int) -> dict[str, object]:
    """The resource, as JSON (which is YAML)."""
    names = [{"name": f"p{number}"} for number in range(participants)]
    return {
        "apiVersion": "fedka.dev/v1alpha1",
        "kind": "FederatedTraining",
        "metadata": {"name": "bench"},
        "spec": {
            "app": {"entrypoint": "benchapp:app", "config": {"coordinates": str(int(megabytes * 250_000))}},
            "rounds": {"count": rounds, "minAvailable": participants, "quorum": "100%"},
            "evaluation": {"everyRounds": 0},
            "participants": names,
        },
    }


def main() -> int:
    """Run and print; the exit code of `fedka run`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--participants", type=int, default=2)
    parser.add_argument("--megabytes", type=float, default=4, help="of the model")
    parser.add_argument("--rounds", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        (directory / "benchapp.py").write_text(APP)
        (directory / "bench.yaml").write_text(json.dumps(training(asked.participants, asked.megabytes, asked.rounds)))
        fedka = Path(sys.executable).with_name("fedka")
        command = [str(fedka), "run", "bench.yaml", "--quiet", "-o", "json"]
        done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        return done.returncode
    history = json.loads(done.stdout)["status"]["rounds"]["history"]
    took = [float(past["durationSeconds"]) * 1000 for past in history]
    print(
        f"N={asked.participants}, {asked.megabytes:g} MB, last {len(took)} of {asked.rounds} rounds: "
        f"median {statistics.median(took):.0f} ms, {min(took):.0f} to {max(took):.0f} ms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
