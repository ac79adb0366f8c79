"""The site: built with every warning an error, and then read as a browser would."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from .pages import ROOT
from .site_generators import training_reference

pytestmark = pytest.mark.slow

REFERENCES = {"a": "href", "link": "href", "script": "src", "img": "src", "iframe": "src", "object": "data"}


STRICT = ("--fail-on-warning", "--keep-going", "--nitpicky", "--quiet")


class Page(HTMLParser):
    """Its anchors, and what it refers to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors = {""}
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.anchors.add(told.get("id") or "")
        target = told.get(REFERENCES.get(tag, ""))
        if target:
            (self.links if tag == "a" else self.loads).append(target)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    target = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", *STRICT, "-d", target / "doctrees", ROOT / "docs", target / "html"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert built.stderr == ""
    html = target / "html"
    return {str(path.relative_to(html)): Page(path) for path in html.rglob("*.html")}


def test_every_page_in_docs_is_on_the_site(site):
    written = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert {str(path) for path in written} <= site.keys()


def test_every_link_within_the_site_leads_somewhere(site):
    broken = []
    for name, page in site.items():
        for link in page.links + page.loads:
            target = urlsplit(link)
            if target.scheme or target.netloc:
                continue
            path = (Path("/") / Path(name).parent / unquote(target.path)).resolve().relative_to("/")
            file = str(path) if target.path else name
            if file.endswith(".html") and unquote(target.fragment) not in getattr(site.get(file), "anchors", ()):
                broken.append(f"{name}: {link}")
    assert broken == []


def test_a_reader_asks_nobody_else_for_anything(site):
    loaded = {load for page in site.values() for load in page.loads if urlsplit(load).netloc}
    assert loaded == set()


def test_every_field_of_the_resource_can_be_pointed_at(site):
    wanted = {
        training_reference.anchor(field.path)
        for part in ("spec", "status")
        for field in training_reference.fields(part)
    }
    assert wanted <= site["training-reference.html"].anchors


def test_the_api_of_apps_is_told_from_the_docstrings(site):
    anchors = site["app.html"].anchors
    assert {f"fedka.{name}" for name in ("App", "Context", "Trained", "Evaluated")} <= anchors
    assert {f"fedka.App.{name}" for name in ("model", "train", "evaluate", "examples")} <= anchors
