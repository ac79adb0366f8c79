"""Links in Markdown as the forge resolves them: files, anchors; addresses elsewhere by their form alone."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .pages import ROOT

MARKDOWN = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
FENCED = re.compile(r"^(```+).*?^\1$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(?P<text>.+)$", re.MULTILINE)


def links(page: str) -> list[str]:
    text = CODE.sub("", FENCED.sub("", (ROOT / page).read_text(encoding="utf-8")))
    return [found["target"] for found in LINK.finditer(text)]


def anchors(path: Path) -> set[str]:
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", found["text"].lower()) for found in HEADING.finditer(text))
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", MARKDOWN)
def test_links_lead_to_files_and_headings_that_are_there(page):
    broken = []
    for link in links(page):
        target = urlsplit(link)
        if target.scheme or target.netloc:
            continue
        path = (ROOT / page).parent / target.path if target.path else ROOT / page
        there = path.exists() and (not target.fragment or target.fragment in anchors(path))
        broken += [] if there else [link]
    assert broken == []


@pytest.mark.parametrize("page", MARKDOWN)
def test_addresses_elsewhere_are_well_formed(page):
    outside = [urlsplit(link) for link in links(page) if urlsplit(link).scheme]
    assert [link.geturl() for link in outside if link.scheme != "https" or "." not in link.netloc] == []
