"""What would only be noticed on another machine: addresses and paths that are true here alone, unpinned installs."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))
# in pieces, so that this file does not name what it looks for
REGISTRY_SETTING = re.compile(
    "|".join(["index" + "-url", "find" + "-links +[^-\\\\]", '"resol' + 'ved":', "trusted" + "-host"])
)
REGISTRY_HOST = re.compile(
    "|".join(
        [
            "pypi" + r"\.(org|python)",
            "python" + "hosted",
            "maven" + r"\.org/maven2|repo1\.",
            "npm" + r"js\.org",
            "proxy" + r"\.golang",
        ]
    )
)
MACHINE_PATH = re.compile(
    "|".join(["/" + "work/", "/" + "root/", "/" + r"home/\w", "/" + r"Users/\w", "/" + r"opt/\w"])
)


def tracked_text_files() -> list[tuple[str, str]]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = []
    for name in filter(None, names.split("\0")):
        path = ROOT / name
        if path.is_file():  # a file deleted but not yet committed is still listed
            content = path.read_bytes()
            if b"\0" not in content:
                files.append((name, content.decode("utf-8")))
    return files


@pytest.mark.parametrize("pattern", [REGISTRY_SETTING, REGISTRY_HOST, MACHINE_PATH], ids=["setting", "host", "path"])
def test_no_file_is_bound_to_a_machine(pattern: re.Pattern[str]) -> None:
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in tracked_text_files()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.name)
def test_every_requirement_is_pinned_and_hashed(file: Path) -> None:
    logical_lines = file.read_text().replace("\\\n", " ").splitlines()
    requirements = [line for line in logical_lines if line and not line.lstrip().startswith("#")]
    assert requirements
    assert [
        line for line in requirements if not re.match(r"[\w.-]+(\[[\w,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []


def test_later_requirement_files_keep_the_pins_of_earlier_ones() -> None:
    run, demo, dev = (
        set(re.findall(r"^[\w.-]+==\S+", (ROOT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE))
        for name in ("run", "demo", "dev")
    )
    assert run <= demo <= dev


def test_help_lists_every_target_meant_for_people() -> None:
    makefile = (ROOT / "Makefile").read_text()
    documented = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    answer = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"^  make ([a-z-]+) ", answer, re.MULTILINE)) == documented
    assert {"help", "demo", "test", "test-fast", "lint", "format", "crds", "lock", "clean"} <= documented
