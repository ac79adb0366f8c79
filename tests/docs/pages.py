"""What readers meet as Markdown, and the code blocks in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXTENDING = ("docs/adding-a-policy.md", "docs/adding-a-strategy.md", "docs/adding-a-record-type.md")
LANGUAGES = frozenset({"console", "sh", "yaml", "python", "json", "text", "diff", "{toctree}", "{eval-rst}"})
_FENCE = re.compile(r"^(?P<fence> *```+)(?P<language>\S*)$")  # within a list it is indented
_FILE = re.compile(r"^<!-- file: (?P<name>\S+) -->$")
_OTHERS = re.compile(
    r"`(?P<line>(?:[A-Z_]+=\S+ )*"
    r"(?:\.venv/bin/(?!fedka)\S+|python|pytest|kubectl(?! fedka)|helm|docker|openssl|kafka-\S+|git|bash)"
    r" [^`\n]+)`"
)


@dataclass(frozen=True)
class Block:
    """A fenced block; `file` is the name that the page has the reader save it under."""

    page: str
    line: int
    language: str
    text: str
    file: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A line after `$ `, and what the page shows of its output; `code` is what it ends with, by `[exit N]`."""

    place: str
    text: str
    shown: tuple[str, ...]
    code: int = 0


@cache
def pages() -> tuple[str, ...]:
    """Names of all pages, from the root of the tree. Decisions are history: they are not run again."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "examples").glob("*/README.md"))]
    found += sorted((ROOT / "docs").glob("*.md"))
    return tuple(str(path.relative_to(ROOT)) for path in found)


@cache
def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    lines = text_of(page).splitlines()
    number = 0
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        if opening:
            named = _FILE.match(lines[number - 1]) if number else None
            end = lines.index(opening["fence"], number + 1)
            indent = " " * opening["fence"].index("`")
            body = "".join(f"{line.removeprefix(indent)}\n" for line in lines[number + 1 : end])
            found.append(Block(page, number + 1, opening["language"], body, named["name"] if named else ""))
            number = end
        number += 1
    return tuple(found)


@cache
def prose(page: str) -> tuple[tuple[int, str], ...]:
    """The lines of a page that are in no fenced block, with their numbers."""
    found: list[tuple[int, str]] = []
    closing = ""
    for number, line in enumerate(text_of(page).splitlines(), 1):
        opening = _FENCE.match(line)
        if closing:
            closing = "" if line == closing else closing
        elif opening:
            closing = opening["fence"]
        else:
            found.append((number, line))
    return tuple(found)


def commands(block: Block) -> Iterator[Command]:
    """The commands of a block: lines of `sh`, or what follows `$ ` in `console`."""
    if block.language == "sh":
        yield from _plain(block)
    elif block.language == "console":
        yield from _session(block)


def _plain(block: Block) -> Iterator[Command]:
    """One a line; a backslash at the end continues it, and ` # ` begins a remark."""
    text, first = "", block.line + 1
    for number, line in enumerate(block.text.splitlines(), first):
        first = first if text else number
        text += re.sub(r"(^| +)# .*", "", line)
        if text.endswith("\\"):
            text += "\n"
        elif text:
            yield Command(f"{block.page}:{first}", text, ())
            text = ""


def _session(block: Block) -> Iterator[Command]:
    """With what each says; `> ` continues a command."""
    text, shown, first, code = "", [], block.line, 0
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if line.startswith("$ "):
            if text:
                yield Command(f"{block.page}:{first}", text, tuple(shown), code)
            text, shown, first, code = line.removeprefix("$ "), [], number, 0
        elif line.startswith("> "):
            text += "\n" + line.removeprefix("> ")
        elif ended := re.fullmatch(r"\[exit (\d+)\]", line):
            code = int(ended[1])
        else:
            shown.append(line)
    if text:
        yield Command(f"{block.page}:{first}", text, tuple(shown), code)


def all_commands() -> list[Command]:
    """Those of all pages."""
    return [command for page in pages() for block in blocks(page) for command in commands(block)]


def in_sentences() -> list[tuple[str, str]]:
    """Commands of other programs than ours that stand within a sentence, and where."""
    lines = [(line, f"{page}:{number}") for page in pages() for number, line in prose(page)]
    return [(found["line"], place) for line, place in lines for found in _OTHERS.finditer(line)]
