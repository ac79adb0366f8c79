"""Handwritten digits, learned by three who have never seen each other's: the smallest app, in numpy alone."""
# ruff: noqa: ANN001, ANN201, ARG001  as one would write it on the first day

import numpy as np
from sklearn.datasets import load_digits

import fedka

app = fedka.App()
IMAGES, DIGITS = load_digits(return_X_y=True)  # 1797 of them, 8 by 8 pixels from 0 to 16


def seen_by(context, *, held_out):  # images and, one-hot, their digits; every fifth is held out
    rows = np.isin(DIGITS, [int(digit) for digit in context.config["digits"]])
    rows &= (np.arange(len(DIGITS)) % 5 == 0) == held_out
    return IMAGES[rows] / 16, np.eye(10)[DIGITS[rows]]


def probabilities(model, images):  # softmax
    scores = np.exp(images @ model["weights"] + model["bias"])
    return scores / scores.sum(axis=1, keepdims=True)


@app.model
def model(context):
    return {"weights": np.zeros((64, 10)), "bias": np.zeros(10)}


@app.train
def train(model, context):
    images, truth = seen_by(context, held_out=False)
    for _ in range(10):
        gap = probabilities(model, images) - truth
        model["weights"] -= images.T @ gap / len(images)
        model["bias"] -= gap.mean(axis=0)
    return fedka.Trained(examples=len(images), metrics={"gap": np.abs(gap).mean()})


@app.evaluate
def evaluate(model, context):
    images, truth = seen_by(context, held_out=True)
    right = probabilities(model, images).argmax(axis=1) == truth.argmax(axis=1)
    return fedka.Evaluated(examples=len(images), metrics={"accuracy": right.mean()})
