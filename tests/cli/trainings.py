"""An app of numpy, and a training of two participants that runs it."""

from typing import Any

APP = """
import time

import numpy as np

import fedka

app = fedka.App()


@app.model
def model(context):
    return {"weights": np.zeros(1000, np.float32), "bias": np.zeros((), np.float64), "steps": np.zeros(3, np.int64)}


@app.train
def train(model, context):
    time.sleep(float(context.config.get("pause", "0")))
    for tensor in model.values():
        tensor += 1
    return fedka.Trained(examples=10, metrics={"loss": 1.0 / (context.round + 1)})


@app.evaluate
def evaluate(model, context):
    return fedka.Evaluated(examples=10, metrics={"accuracy": 0.75})
"""


def training(**spec: Any) -> dict[str, Any]:
    """A FederatedTraining of two participants, as an object."""
    return {
        "apiVersion": "fedka.dev/v1alpha1",
        "kind": "FederatedTraining",
        "metadata": {"name": "tiny"},
        "spec": {
            "app": {"entrypoint": "tiny_app:app"},
            "rounds": {"count": 3},
            "participants": [{"name": "bank-a"}, {"name": "bank-b"}],
            **spec,
        },
    }
