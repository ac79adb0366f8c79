"""The table as a picture: a bar for each way of training, and a line from the lowest to the highest of several runs."""

from collections.abc import Sequence
from pathlib import Path

from comparison import FEDERATED, POOLED, Row
from matplotlib.axes import Axes
from matplotlib.figure import Figure  # not pyplot: it would look for a screen

COLOURS = {FEDERATED: "#1b7837", POOLED: "#5a6acf"}
ALONE = "#b0b7bf"
DOTS_PER_INCH = 110


def plot(runs: Sequence[Sequence[Row]], path: Path) -> None:
    """Write a PNG."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    rows = list(zip(*runs, strict=True))
    _panel(left, "accuracy", [[line.verdict.accuracy for line in lines] for lines in rows])
    _panel(right, "recall: malignant cases found", [[line.verdict.recall for line in lines] for lines in rows])
    who = [row.who for row in runs[0]]
    left.set_yticks(range(len(who)), [name if name in COLOURS else f"{name} alone" for name in who])
    for axes in (left, right):
        for bar, name in zip(axes.patches, who, strict=True):
            bar.set_color(COLOURS.get(name, ALONE))
    left.invert_yaxis()
    figure.savefig(path, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})


def _panel(axes: Axes, title: str, values: Sequence[Sequence[float]]) -> None:
    """Means as bars, with their figures behind them; ranges as lines."""
    places = range(len(values))
    means, lowest, highest = (
        [100 * of(found) for found in values] for of in (lambda found: sum(found) / len(found), min, max)
    )
    axes.barh(places, means, height=0.65)
    axes.hlines(places, lowest, highest, color="black")
    for place, mean, end in zip(places, means, highest, strict=True):
        axes.text(end + 2, place, f"{mean:.1f} %", va="center", fontsize=9)
    axes.set_xlim(0, 118)
    axes.set_xticks(range(0, 101, 25))
    axes.set_title(title, fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_formatter("{x:.0f} %")
