"""What federation is worth: each bank alone, all of them federated, and all payments in one place.

All three get the same network, first weights, number of epochs and learning rate, and are judged on the same payments:
those of other customers of all banks, on whom every kind of fraud was tried. Pooling is what the banks may not do; it
shows what there is to gain.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from bank import Config, Verdict, fit, judge, make_model, month
from history import Examples, examples
from payments import BANKS, ledger
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file

from fedka.masking import LEAST_KEY_BYTES, CardMask

FEDERATED = "federated"
POOLED = "pooled"
KEY = secrets.token_bytes(LEAST_KEY_BYTES)  # any does: tokens tell cards apart, and nothing else of them is used


@dataclass(frozen=True)
class Row:
    """One line of the table: who, trained on how many payments and frauds among them, how good on the common test."""

    who: str
    payments: int
    frauds: int
    verdict: Verdict


@dataclass(frozen=True)
class Comparison:
    """The lines of one run, and how many payments and frauds they were judged on."""

    rows: list[Row]
    payments: int
    frauds: int


def compare(config: Config, rounds: int, federated: Path) -> Comparison:
    """Train every bank alone and all payments pooled, and judge them beside the federated model in a file."""
    test = common_test(config.split_seed)
    groups = {name: month(name, config.split_seed, KEY).train for name in BANKS}
    everybody = _together(groups.values())
    rows = [_row(name, group, judge(_trained(config, group, rounds), test)) for name, group in groups.items()]
    model = make_model(config)
    model.load_state_dict(load_file(federated))
    rows.append(_row(FEDERATED, everybody, judge(model, test)))
    rows.append(_row(POOLED, everybody, judge(_trained(config, everybody, rounds), test)))
    return Comparison(rows=rows, payments=len(test), frauds=int(test.y.sum()))


def common_test(seed: int) -> Examples:
    """Payments that nobody trained on."""
    return _together(examples(ledger(name, seed, CardMask(KEY), test=True))[0] for name in BANKS)


def show(console: Console, runs: Sequence[Comparison]) -> None:
    """The table; means with the lowest and highest value where there are several runs."""
    payments, frauds = (_mean([getattr(run, what) for run in runs]) for what in ("payments", "frauds"))
    title = f"Judged on {payments:.0f} payments that nobody trained on, {frauds:.0f} of them fraud:"
    table = Table("trained by")
    for heading in ("payments", "frauds", "average precision, %", "ROC AUC, %"):
        table.add_column(heading, justify="right")
    for lines in zip(*(run.rows for run in runs), strict=True):
        who = lines[0].who
        precision = _spread(line.verdict.average_precision for line in lines)
        area = _spread(line.verdict.roc_auc for line in lines)
        style = "bold green" if who == FEDERATED else None
        name = who if who in (FEDERATED, POOLED) else f"{who} alone"
        sizes = (f"{_mean([getattr(line, what) for line in lines]):.0f}" for what in ("payments", "frauds"))
        table.add_row(name, *sizes, precision, area, style=style)
    legend = (
        "federated: nobody's payments moved. pooled: all payments in one place.\n"
        f"By chance, average precision would be {100 * frauds / payments:.1f} % and ROC AUC 50 %."
    )
    console.print(title, table, legend, sep="\n")


def _trained(config: Config, payments: Examples, rounds: int) -> torch.nn.Module:
    model = make_model(config)
    for number in range(rounds):
        fit(model, payments, config, seed=1000 * config.split_seed + number)
    return model


def _together(groups: Iterable[Examples]) -> Examples:
    groups = list(groups)
    return Examples(x=np.concatenate([group.x for group in groups]), y=np.concatenate([group.y for group in groups]))


def _row(who: str, payments: Examples, verdict: Verdict) -> Row:
    return Row(who=who, payments=len(payments), frauds=int(payments.y.sum()), verdict=verdict)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _spread(values: Iterable[float]) -> str:
    found = [100 * value for value in values]
    mean = f"{_mean(found):.1f}"
    return mean if len(found) == 1 else f"{mean} ({min(found):.1f} to {max(found):.1f})"
