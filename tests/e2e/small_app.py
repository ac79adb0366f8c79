"""An app of numpy whose model differs with seed, participant and round: a digest tells whether a run was the same.

It is mounted from a ConfigMap; the image is the operator's own, which has numpy and no torch.
"""

NAME = "small_app"
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
