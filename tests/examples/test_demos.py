"""`make demo` and `make demo-bank`, by the scripts that they run: what they print is what the READMEs tell of them.

The training is the whole one, and so is the comparison: no other test judges what federation is worth there.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fedka import exit_codes

from .loading import EXAMPLES

PATIENCE = 900
ONE_PATIENT = (100 / 142, 100 / 53)  # what accuracy and recall may differ by on another CPU
A_LITTLE = (0.5, 0.2)  # the same of average precision and ROC AUC
ROUNDING = 0.051
MEAN = re.compile(r"([0-9.]+) \(([0-9.]+) to ([0-9.]+)\)")


@dataclass(frozen=True)
class Demo:
    """What a demo said, and where its files are."""

    said: str
    out: Path

    @property
    def rows(self) -> dict[str, list[str]]:
        """The lines of its table by their first word, which tells them apart."""
        return cells(re.findall(r"^│ (.+) │$", self.said, re.MULTILINE), "│")


def cells(lines: list[str], between: str) -> dict[str, list[str]]:
    rows = ([cell.strip() for cell in line.split(between)] for line in lines)
    return {"pooled" if " pooled" in name else re.split("[ :]", name)[0]: rest for name, *rest in rows}


def table_of(readme: Path) -> dict[str, list[str]]:
    """The first table of a README that tells who learnt how much, without its stars and percent signs."""
    _, _, rest = readme.read_text().partition("\n| trained by |")
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    return cells([line.strip("|").replace("*", "").replace(" %", "").replace(",", "") for line in lines], "|")


def run(example: str, here: Path, *arguments: str) -> Demo:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / example / "demo.py"), "--out", str(here / "out"), *arguments],
        cwd=here,
        env=os.environ | {"OMP_NUM_THREADS": "1"},  # the cores are shared: threads of torch would wait for each other
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == exit_codes.OK, done.stdout + done.stderr
    return Demo(done.stdout, here / "out")


def differences(shown: dict[str, list[str]], told: dict[str, list[str]], figures: tuple[float, float]) -> list[str]:
    """Where two tables differ: in who is there, in a count, or by more than another CPU explains."""
    assert list(shown) == list(told)
    allowed = [ROUNDING] * (len(next(iter(told.values()))) - len(figures)) + [figure + ROUNDING for figure in figures]
    pairs = [(who, *pair, most) for who in told for *pair, most in zip(shown[who], told[who], allowed, strict=True)]
    return [f"{who}: {new}, not {old}" for who, new, old, most in pairs if abs(float(new) - float(old)) > most]


def test_both_readmes_tell_the_same_of_the_hospitals() -> None:
    whole = table_of(EXAMPLES / "hospital" / "README.md")
    assert table_of(EXAMPLES.parent / "README.md") == {who: figures[1:] for who, figures in whole.items()}


@pytest.mark.kafka
@pytest.mark.timeout(1000)
@pytest.mark.parametrize(("example", "figures"), [("hospital", ONE_PATIENT), ("bank", A_LITTLE)])
def test_a_demo_shows_what_its_readme_tells(example: str, figures: tuple[float, float], tmp_path: Path) -> None:
    demo = run(example, tmp_path)
    assert differences(demo.rows, table_of(EXAMPLES / example / "README.md"), figures) == []
    assert (demo.out / "comparison.png").read_bytes().startswith(b"\x89PNG")
    assert "Complete (AllRoundsDone" in demo.said
    for file in ("model.safetensors", "comparison.png"):
        assert str(demo.out / file) in demo.said or f"out/{file}" in demo.said


@pytest.mark.kafka
@pytest.mark.timeout(1000)
def test_several_seeds_give_means_and_their_spread(tmp_path: Path) -> None:
    demo = run("hospital", tmp_path, "--seeds", "2")
    assert {file.name for file in demo.out.iterdir()} == {
        "model-0.safetensors",
        "model-1.safetensors",
        "comparison.png",
    }
    found = [MEAN.fullmatch(cell) for _, *figures in demo.rows.values() for cell in figures]
    assert len(found) == 2 * len(demo.rows) == 14
    for spread in found:
        assert spread is not None
        mean, lowest, highest = map(float, spread.groups())
        assert abs(mean - (lowest + highest) / 2) < 2 * ROUNDING
    assert any(spread and spread[2] != spread[3] for spread in found)
