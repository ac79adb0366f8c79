"""An app of numpy whose model differs with seed, participant and round: a digest tells whether a run was the same.

It is mounted from a ConfigMap; the image is the operator's own, which has numpy and no torch.
"""

from typing import Any

NAME = "small_app"
CODE = "small-app"  # the ConfigMap
SOURCE = """
import time

import numpy as np

import fedka

app = fedka.App()


@app.model
def model(context):
    return {"weights": np.zeros(5000, np.float32), "bias": np.zeros((), np.float64)}


@app.examples  # known before the first training, so a participant that restarts weighs what it weighed before
def examples(context):
    return 10


@app.train
def train(model, context):
    time.sleep(float(context.config.get("pause", "0")))
    random = np.random.default_rng(context.seed)
    for tensor in model.values():
        tensor += random.normal(size=tensor.shape).astype(tensor.dtype)
    return fedka.Trained(examples=10, metrics={"loss": 1.0 / context.round})


@app.evaluate
def evaluate(model, context):
    return fedka.Evaluated(examples=10, metrics={"accuracy": 0.75})
"""


def manifest(name: str, *, image: str | None = None, pause: float = 0.0, **spec: Any) -> dict[str, Any]:
    """Two participants, and no round without both, so that every run gives the same model. With an image: for pods."""
    rounds = {"count": 6, "minAvailable": 2, "quorum": "100%", "deadlineSeconds": 60} | spec.pop("rounds", {})
    app: dict[str, Any] = {"entrypoint": f"{NAME}:app", "config": {"pause": str(pause)}}
    if image is not None:
        app |= {"image": image, "codeConfigMapRef": {"name": CODE}}
    return {
        "apiVersion": "fedka.dev/v1alpha1",
        "kind": "FederatedTraining",
        "metadata": {"name": name},
        "spec": {
            "app": app,
            "rounds": rounds,
            "participants": [{"name": "bank-a"}, {"name": "bank-b"}],
            **spec,
        },
    }
