"""Card fraud, detected by four banks that keep their customers' payments to themselves.

This file is all that a bank runs: a model, how to train it here, how to judge it here.
"""

import secrets
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from history import INPUTS, Examples, examples
from payments import ledger
from torch.nn.functional import binary_cross_entropy_with_logits

import fedka
from fedka.masking import LEAST_KEY_BYTES, CardMask, make_key

torch.set_num_threads(1)  # four banks share this machine's cores, and the model is small

HELD_OUT = 5  # one card in so many


@dataclass(frozen=True)
class Config:
    """What `spec.app.config` in training.yaml may set."""

    epochs: int = 1
    batch_size: int = 64
    learning_rate: float = 0.1
    hidden: int = 24
    fraud_weight: float = 20.0  # how many honest payments a fraud counts for: there are 150 times as many
    split_seed: int = 0
    model_seed: int = 0  # the same first weights whoever is asked for them


@dataclass(frozen=True)
class Month:
    """A bank's payments: those it trains on, and those of other cards that it keeps apart to judge a model by."""

    train: Examples
    held_out: Examples


app = fedka.App(config=Config)


@app.model
def model(context: fedka.Context[Config]) -> torch.nn.Module:
    """A small network; its output is the log-odds that a payment is fraud, overstated by the fraud weight."""
    return make_model(context.config)


@app.examples
def count(context: fedka.Context[Config]) -> int:
    """How many payments this bank trains on."""
    return len(own_month(context).train)


@app.train
def train(model: torch.nn.Module, context: fedka.Context[Config]) -> fedka.Trained:
    """Some epochs over this bank's own payments."""
    payments = own_month(context).train
    loss = fit(model, payments, context.config, context.seed)
    return fedka.Trained(examples=len(payments), metrics={"loss": loss})


@app.evaluate
def evaluate(model: torch.nn.Module, context: fedka.Context[Config]) -> fedka.Evaluated:
    """How good the shared model is on cards of this bank that nobody trained on."""
    payments = own_month(context).held_out
    verdict = judge(model, payments)
    return fedka.Evaluated(
        examples=len(payments), metrics={"average_precision": verdict.average_precision, "roc_auc": verdict.roc_auc}
    )


def own_month(context: fedka.Context[Config]) -> Month:
    """This bank's payments, the cards known by tokens under a key that never leaves the bank."""
    if context.state_dir is None:
        key = secrets.token_bytes(LEAST_KEY_BYTES)  # as good: no token outlives this process
    else:
        key = make_key(context.state_dir / "masking.key")
    return month(context.participant, context.config.split_seed, key)


@cache
def month(bank: str, seed: int, key: bytes) -> Month:
    """A bank's payments, divided by cards: a fifth of those that were defrauded, and a fifth of the others, apart."""
    payments, card = examples(ledger(bank, seed, CardMask(key)))
    defrauded = np.isin(np.arange(card.max() + 1), card[payments.y == 1])
    kept_apart = [np.flatnonzero(kind)[::HELD_OUT] for kind in (defrauded, ~defrauded)]
    apart = np.isin(card, np.concatenate(kept_apart))
    return Month(
        train=Examples(payments.x[~apart], payments.y[~apart]), held_out=Examples(payments.x[apart], payments.y[apart])
    )


def make_model(config: Config) -> torch.nn.Module:
    """The network with its first weights."""
    torch.manual_seed(config.model_seed)
    return torch.nn.Sequential(
        torch.nn.Linear(INPUTS, config.hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(config.hidden, config.hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(config.hidden, 1),
    )


def fit(model: torch.nn.Module, payments: Examples, config: Config, seed: int) -> float:
    """Plain SGD for `config.epochs` epochs, frauds weighing more; the mean loss of the last one.

    By hand, in two lines: torch.optim would load torch's compiler first, for seconds in each of four processes.
    """
    random = torch.Generator().manual_seed(seed)
    x, y = torch.from_numpy(payments.x), torch.from_numpy(payments.y)
    fraud_weight = torch.tensor(config.fraud_weight)
    weights = list(model.parameters())
    total = 0.0
    model.train()
    for _ in range(config.epochs):
        total = 0.0
        for batch in torch.randperm(len(payments), generator=random).split(config.batch_size):
            loss = binary_cross_entropy_with_logits(model(x[batch])[:, 0], y[batch], pos_weight=fraud_weight)
            with torch.no_grad():
                for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                    weight.sub_(config.learning_rate * gradient)
            total += loss.item() * len(batch)
    return total / len(payments)


@dataclass(frozen=True)
class Verdict:
    """How well a model ranks payments by suspicion.

    Average precision: the mean share of frauds among the payments down to each fraud in the ranking; chance gives the
    share of frauds. ROC AUC: how often a fraud is ranked above an honest payment; chance gives a half.
    """

    average_precision: float
    roc_auc: float


def judge(model: torch.nn.Module, payments: Examples) -> Verdict:
    """Compare a model's ranking with what was fraud. At least one payment has to be, and one not."""
    model.eval()
    with torch.no_grad():
        suspicion = model(torch.from_numpy(payments.x))[:, 0].numpy()
    return verdict(suspicion, payments.y)


def verdict(suspicion: np.ndarray, fraud: np.ndarray) -> Verdict:
    """As scikit-learn's average_precision_score and roc_auc_score, whose import takes two seconds of each process."""
    levels, level = np.unique(suspicion, return_inverse=True)
    honest = np.bincount(level[fraud == 0], minlength=len(levels))[::-1]
    found = np.bincount(level[fraud == 1], minlength=len(levels))[::-1]  # equal suspicion is one step of the ranking
    frauds = np.cumsum(found)
    precision = frauds / (frauds + np.cumsum(honest))
    below = honest.sum() - np.cumsum(honest) + honest / 2
    return Verdict(
        average_precision=float((found * precision).sum() / found.sum()),
        roc_auc=float((found * below).sum() / (found.sum() * honest.sum())),
    )
