"""Every command of the docs is run, or is in the list of those that are not, with the reason and the test that does."""

import ast
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from fedka.api.validation import admit

from .not_run import IN_SENTENCES, NO_ONE, NOT_RUN, NotRun
from .pages import (
    EXTENDING,
    LANGUAGES,
    ROOT,
    Block,
    Command,
    all_commands,
    blocks,
    commands,
    in_sentences,
    pages,
    prose,
    text_of,
)
from .running import run
from .site_generators import command_reference

PROGRAM = {name.removeprefix("fedka "): command for name, command in command_reference.commands()}
INLINE = re.compile(r"`(?:kubectl )?fedka (?P<line>[a-z][^`\n]*)`")
MAKE = re.compile(r"(?:^|`)make (?P<target>[a-z][a-z-]*)", re.MULTILINE)


def left_out(command: Command) -> NotRun | None:
    return next((each for each in NOT_RUN for part in each.parts if command.text.startswith(part)), None)


def pages_to_run() -> list[object]:
    found = []
    for page in pages():
        if page in EXTENDING:  # test_extending.py follows them, on a copy of the tree
            continue
        wanted = [each.text for block in blocks(page) for each in commands(block) if left_out(each) is None]
        if wanted:
            marks = [pytest.mark.kafka] if any("fedka run" in text for text in wanted) else []
            found.append(pytest.param(page, id=page, marks=[*marks, pytest.mark.slow]))
    return found


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """What a reader has in front of him: the tree's examples, and a directory to write into."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__", ".fedka"))
    return tmp_path


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", pages_to_run())
def test_the_commands_of_a_page_do_what_it_shows(page: str, scratch: Path) -> None:
    for block in blocks(page):
        if block.file:
            (scratch / block.file).write_text(block.text, encoding="utf-8")
        for command in commands(block):
            if left_out(command) is None:
                assert run(command, scratch) == ""


def test_every_block_says_what_it_is() -> None:
    assert [block.place for page in pages() for block in blocks(page) if block.language not in LANGUAGES] == []


@pytest.mark.parametrize("page", pages())
def test_no_block_is_hidden_by_being_indented_instead_of_fenced(page: str) -> None:
    assert [f"{page}:{number}" for number, line in prose(page) if re.match(r" {4}|\t", line)] == []


def test_the_lists_of_what_is_not_run_are_of_today() -> None:
    written = [command.text for command in all_commands()]
    for listed, texts in ((NOT_RUN, written), (IN_SENTENCES, [text for text, _ in in_sentences()])):
        stale = [part for each in listed for part in each.parts if not any(text.startswith(part) for text in texts)]
        assert stale == []
        assert [each.by for each in listed if each.by != NO_ONE and not (ROOT / each.by).is_file()] == []


def test_commands_of_other_programs_in_a_sentence_are_listed_with_the_test_that_runs_them() -> None:
    parts = tuple(part for each in (*IN_SENTENCES, *NOT_RUN) for part in each.parts)
    assert [f"{place}: {text}" for text, place in in_sentences() if not text.startswith(parts)] == []


def parsed(line: str, place: str, *, whole: bool) -> str:
    """What the program's own command line has against it: an unknown command, an unknown option, a missing value."""
    words = shlex.split(line, comments=True)
    name = next((name for name in (" ".join(words[:2]), words[0]) if name in PROGRAM), None)
    if name is None:
        groups = {each.partition(" ")[0] for each in PROGRAM}
        return "" if words[0] in groups else f"{place}: there is no command {words[0]}"
    command, rest = PROGRAM[name], words[len(name.split()) :]
    known = {option for each in command.params for option in each.opts} | {"--help"}
    unknown = [word for word in rest if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in known]
    if unknown:
        return f"{place}: {name} has no {unknown[0]}"
    try:
        if whole:
            command.make_context(name, rest).close()
    except Exception as error:  # noqa: BLE001  whatever the command line library raises is the answer
        return f"{place}: fedka {line}: {error}"
    return ""


def test_commands_that_need_a_cluster_are_at_least_understood() -> None:
    lines = [(each.text.removeprefix(".venv/bin/"), each.place) for each in all_commands()]
    ours = [(text.removeprefix("fedka "), place) for text, place in lines if text.startswith("fedka ")]
    assert ours
    assert [fault for line, place in ours if (fault := parsed(line, place, whole=True))] == []


@pytest.mark.parametrize("page", pages())
def test_commands_named_in_a_sentence_exist(page: str) -> None:
    told = [found["line"] for found in INLINE.finditer(text_of(page))]
    assert [fault for line in told if (fault := parsed(line, page, whole=False))] == []


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {found["target"] for page in pages() for found in MAKE.finditer(text_of(page))} <= targets


def of_language(language: str) -> list[object]:
    return [pytest.param(each, id=each.place) for page in pages() for each in blocks(page) if each.language == language]


@pytest.mark.parametrize("block", of_language("python"))
def test_python_is_python(block: Block) -> None:
    ast.parse(block.text)


@pytest.mark.parametrize("block", of_language("yaml"))
def test_yaml_is_yaml_and_a_training_is_a_valid_one(block: Block) -> None:
    for document in yaml.safe_load_all(block.text):
        if isinstance(document, dict) and document.get("kind") == "FederatedTraining":
            admit(document)
