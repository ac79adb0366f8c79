"""Early detection of breast cancer, learned by five hospitals that keep their patients' data to themselves.

This file is all that a hospital runs: a model, how to train it here, how to judge it here.
"""

from dataclasses import dataclass

import torch
from cohorts import Cohort, Patients, deal
from torch.nn.functional import binary_cross_entropy_with_logits

import fedka

torch.set_num_threads(1)  # five hospitals share this machine's cores, and the model is small


@dataclass(frozen=True)
class Config:
    """What `spec.app.config` in training.yaml may set."""

    epochs: int = 8
    batch_size: int = 16
    learning_rate: float = 0.1
    hidden: int = 16
    split_seed: int = 0
    model_seed: int = 0  # the same first weights whoever is asked for them


app = fedka.App(config=Config)


@app.model
def model(context: fedka.Context[Config]) -> torch.nn.Module:
    """A small network; its output is the log-odds that a tumour is malignant."""
    return make_model(context.config)


@app.examples
def examples(context: fedka.Context[Config]) -> int:
    """How many patients this hospital trains on."""
    return len(cohort(context).train)


@app.train
def train(model: torch.nn.Module, context: fedka.Context[Config]) -> fedka.Trained:
    """Some epochs over this hospital's own patients."""
    patients = cohort(context).train
    loss = fit(model, patients, context.config, context.seed)
    return fedka.Trained(examples=len(patients), metrics={"loss": loss})


@app.evaluate
def evaluate(model: torch.nn.Module, context: fedka.Context[Config]) -> fedka.Evaluated:
    """How good the shared model is on patients of this hospital that nobody trained on."""
    patients = cohort(context).held_out
    return fedka.Evaluated(examples=len(patients), metrics={"accuracy": judge(model, patients).accuracy})


def cohort(context: fedka.Context[Config]) -> Cohort:
    """This hospital's patients."""
    return deal(context.config.split_seed).hospitals[context.participant]


def make_model(config: Config) -> torch.nn.Module:
    """The network with its first weights."""
    torch.manual_seed(config.model_seed)
    return torch.nn.Sequential(torch.nn.Linear(30, config.hidden), torch.nn.ReLU(), torch.nn.Linear(config.hidden, 1))


def fit(model: torch.nn.Module, patients: Patients, config: Config, seed: int) -> float:
    """Plain SGD for `config.epochs` epochs; the mean loss of the last one.

    By hand, in two lines: torch.optim would load torch's compiler first, for seconds in each of five processes.
    """
    random = torch.Generator().manual_seed(seed)
    x, y = torch.from_numpy(patients.x), torch.from_numpy(patients.y)
    total = 0.0
    model.train()
    for _ in range(config.epochs):
        total = 0.0
        for batch in torch.randperm(len(patients), generator=random).split(config.batch_size):
            loss = binary_cross_entropy_with_logits(model(x[batch])[:, 0], y[batch])
            weights = list(model.parameters())
            with torch.no_grad():
                for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                    weight.sub_(config.learning_rate * gradient)
            total += loss.item() * len(batch)
    return total / len(patients)


@dataclass(frozen=True)
class Verdict:
    """How good a model is: share of right answers, and share of the malignant cases that it finds."""

    accuracy: float
    recall: float


def judge(model: torch.nn.Module, patients: Patients) -> Verdict:
    """Compare a model's answers with the diagnoses."""
    model.eval()
    with torch.no_grad():
        positive = model(torch.from_numpy(patients.x))[:, 0] > 0
    truth = torch.from_numpy(patients.y) > 0
    right = (positive == truth).float()
    return Verdict(accuracy=right.mean().item(), recall=right[truth].mean().item())
