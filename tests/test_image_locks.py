"""An image without a library that Fedka needs would be noticed only when it runs."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAME = re.compile(r"[A-Za-z0-9._-]+")


def normal(requirement: str) -> str:
    found = NAME.match(requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


@pytest.mark.parametrize(
    ("lock", "extras"), [("operator.txt", ()), ("participant.txt", ("torch",))], ids=["fedka", "participant"]
)
def test_an_images_lock_holds_all_that_fedka_needs(lock: str, extras: tuple[str, ...]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *(each for extra in extras for each in project["optional-dependencies"][extra])]
    pinned = {normal(line) for line in (ROOT / "requirements" / lock).read_text().splitlines() if NAME.match(line)}
    assert {normal(requirement) for requirement in needed} - pinned == set()


def test_the_image_of_the_operator_has_no_torch() -> None:
    assert not re.search(r"(?m)^(torch|nvidia-)", (ROOT / "requirements" / "operator.txt").read_text())
