"""Follows the pages on how to add to Fedka, on a copy of the tree: what they tell to write must fit what is there."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .pages import EXTENDING, ROOT, blocks, commands
from .running import run

COPIED = ("operator", "tests", "docs", "crds", "charts", "examples")
RUBBISH = shutil.ignore_patterns("__pycache__", ".fedka")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=RUBBISH)
    for file in ("pyproject.toml", "README.md", "CONTRIBUTING.md", "Makefile"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


def changed(tree: Path, diff: str) -> str:
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        input=diff,
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_the_pages_tell_to_add_can_be_added(tree: Path) -> None:
    for block in (block for page in EXTENDING for block in blocks(page)):
        if block.file:
            (tree / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tree / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "diff":
            assert changed(tree, block.text) == "", block.place
        for command in commands(block):
            assert run(command, tree, PYTHONPATH=str(tree / "operator")) == ""
    added = (tree / "crds" / "fedka.dev_federatedtrainings.yaml").read_text()
    assert "HalfStep" in added
