"""What federation is worth: each hospital alone, all of them federated, and all data in one place.

All three get the same network, first weights, number of epochs and learning rate, and are judged on the same patients,
whom nobody trained on. Pooling is what the hospitals may not do; it shows what there is to gain.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from cohorts import Patients, deal
from hospital import Config, Verdict, fit, judge, make_model
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file

FEDERATED = "federated"
POOLED = "pooled"


@dataclass(frozen=True)
class Row:
    """One line of the table: who, trained on how many patients, how good on the common test."""

    who: str
    patients: int
    verdict: Verdict


def compare(config: Config, rounds: int, federated: Path) -> list[Row]:
    """Train every hospital alone and all data pooled, and judge them beside the federated model in a file."""
    split = deal(config.split_seed)
    everybody = _together([cohort.train for cohort in split.hospitals.values()])
    groups = {name: cohort.train for name, cohort in split.hospitals.items()}
    rows = [_row(name, group, judge(_trained(config, group, rounds), split.test)) for name, group in groups.items()]
    model = make_model(config)
    model.load_state_dict(load_file(federated))
    rows.append(_row(FEDERATED, everybody, judge(model, split.test)))
    rows.append(_row(POOLED, everybody, judge(_trained(config, everybody, rounds), split.test)))
    return rows


def show(console: Console, runs: Sequence[Sequence[Row]]) -> None:
    """The table; means with the lowest and highest value where there are several runs."""
    test = deal(0).test
    title = f"Judged on {len(test)} patients whom nobody trained on, {int(test.y.sum())} of them malignant:"
    table = Table("trained by")
    for heading in ("patients", "accuracy, %", "recall, %"):
        table.add_column(heading, justify="right")
    for lines in zip(*runs, strict=True):
        who = lines[0].who
        accuracy = _spread(line.verdict.accuracy for line in lines)
        recall = _spread(line.verdict.recall for line in lines)
        style = "bold green" if who == FEDERATED else None
        name = who if who in (FEDERATED, POOLED) else f"{who} alone"
        table.add_row(name, str(lines[0].patients), accuracy, recall, style=style)
    legend = "federated: nobody's data moved. pooled: all data in one place. recall: malignant found."
    console.print(title, table, legend, sep="\n")


def _trained(config: Config, patients: Patients, rounds: int) -> torch.nn.Module:
    model = make_model(config)
    for number in range(rounds):
        fit(model, patients, config, seed=1000 * config.split_seed + number)
    return model


def _together(groups: Iterable[Patients]) -> Patients:
    groups = list(groups)
    return Patients(x=np.concatenate([group.x for group in groups]), y=np.concatenate([group.y for group in groups]))


def _row(who: str, patients: Patients, verdict: Verdict) -> Row:
    return Row(who=who, patients=len(patients), verdict=verdict)


def _spread(values: Iterable[float]) -> str:
    found = [100 * value for value in values]
    mean = f"{sum(found) / len(found):.1f}"
    return mean if len(found) == 1 else f"{mean} ({min(found):.1f} to {max(found):.1f})"
