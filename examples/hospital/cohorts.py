"""Five hospitals' patients, made from the Wisconsin breast cancer data that scikit-learn ships.

569 fine-needle aspirates, each with 30 measurements of the cell nuclei and the diagnosis. They are dealt out as
hospitals see them: different numbers, different shares of malignant cases, and different tumours (a cancer centre gets
the advanced ones, screening finds the early ones). The same seed deals the same way everywhere.

In a real federation this module is what each hospital replaces by reading its own files.
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

MALIGNANT_IN_DATA = 0  # scikit-learn's label for it; here malignant is 1, because it is what we look for
TEST_SHARE = 0.25
HELD_OUT_SHARE = 0.2
WORST_AREA = 23  # column: mean area of the three largest nuclei
CHANCE = 0.4  # how much of who goes where is chance and not the tumour, in standard deviations of log area

# Ranges that the hospitals agree on before they start: the minima and maxima printed in the data set's description.
# Nobody computes them from patients of its own, so scaling gives nothing away and is the same everywhere.
LOWEST = [
    6.981, 9.71, 43.79, 143.5, 0.053, 0.019, 0.0, 0.0, 0.106, 0.05,
    0.112, 0.36, 0.757, 6.802, 0.002, 0.002, 0.0, 0.0, 0.008, 0.001,
    7.93, 12.02, 50.41, 185.2, 0.071, 0.027, 0.0, 0.0, 0.156, 0.055,
]  # fmt: skip
HIGHEST = [
    28.11, 39.28, 188.5, 2501.0, 0.163, 0.345, 0.427, 0.201, 0.304, 0.097,
    2.873, 4.885, 21.98, 542.2, 0.031, 0.135, 0.396, 0.053, 0.079, 0.03,
    36.04, 49.54, 251.2, 4254.0, 0.223, 1.058, 1.252, 0.291, 0.664, 0.208,
]  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of hospital: patients, malignant ones among them, and its tumours from 0 (small) to 1 (large)."""

    patients: int
    malignant: int
    severity: float


HOSPITALS = {
    "university": Kind(patients=110, malignant=60, severity=0.75),
    "city": Kind(patients=120, malignant=40, severity=0.4),
    "screening": Kind(patients=110, malignant=9, severity=0.0),
    "cancer-centre": Kind(patients=56, malignant=44, severity=1.0),
    "rural": Kind(patients=30, malignant=6, severity=0.25),
}


@dataclass(frozen=True)
class Patients:
    """Measurements, shape (n, 30), scaled to about -1..1; diagnoses, shape (n,), 1 = malignant."""

    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Cohort:
    """One hospital's patients: those it trains on, and those that it keeps apart to judge a model by."""

    train: Patients
    held_out: Patients


@dataclass(frozen=True)
class Split:
    """All hospitals, and patients that none of them has seen."""

    hospitals: dict[str, Cohort]
    test: Patients


def wisconsin() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Measurements, shape (569, 30), and scikit-learn's labels, shape (569,).

    From scikit-learn's file: importing scikit-learn itself takes two seconds, in each of five processes.
    """
    package = find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("the patients' data comes with scikit-learn: pip install scikit-learn")
    path = Path(package.submodule_search_locations[0], "datasets", "data", "breast_cancer.csv")
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    return table[:, :-1], table[:, -1]


@cache
def deal(seed: int) -> Split:
    """Deal the patients out: a quarter to the common test, the rest to the hospitals."""
    random = np.random.default_rng(seed)
    measured, label = wisconsin()
    x = (2 * (measured - LOWEST) / np.subtract(HIGHEST, LOWEST) - 1).astype(np.float32)
    y = (label == MALIGNANT_IN_DATA).astype(np.float32)
    size = np.log(measured[:, WORST_AREA])
    severity = (size - size.mean()) / size.std() + CHANCE * random.standard_normal(len(y))
    groups = [random.permutation(np.flatnonzero(y == label)) for label in (0, 1)]
    test = np.concatenate([group[: round(TEST_SHARE * len(group))] for group in groups])
    benign, malignant = (group[round(TEST_SHARE * len(group)) :] for group in groups)
    places = {name: kind.malignant for name, kind in HOSPITALS.items()}
    sick = _hand_out(malignant, severity, places)
    places = {name: kind.patients - kind.malignant for name, kind in HOSPITALS.items()}
    well = _hand_out(benign, severity, places)

    def patients(rows: npt.NDArray[np.intp]) -> Patients:
        return Patients(x=x[rows], y=y[rows])

    hospitals = {}
    for name in HOSPITALS:
        kept, apart = zip(*(_cut(random.permutation(rows[name])) for rows in (sick, well)), strict=True)
        hospitals[name] = Cohort(train=patients(np.concatenate(kept)), held_out=patients(np.concatenate(apart)))
    return Split(hospitals=hospitals, test=patients(test))


def _hand_out(
    rows: npt.NDArray[np.intp], severity: npt.NDArray[np.float64], places: dict[str, int]
) -> dict[str, npt.NDArray[np.intp]]:
    """Each hospital in turn, the most particular ones first, takes those nearest to the severity that it sees."""
    left = rows[np.argsort(severity[rows])]
    taken = {}
    for name in sorted(places, key=lambda name: -abs(HOSPITALS[name].severity - 0.5)):
        first = round(HOSPITALS[name].severity * (len(left) - places[name]))
        chosen = slice(first, first + places[name])
        taken[name] = left[chosen]
        left = np.delete(left, chosen)
    return taken


def _cut(rows: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    apart = max(1, round(HELD_OUT_SHARE * len(rows)))
    return rows[apart:], rows[:apart]
