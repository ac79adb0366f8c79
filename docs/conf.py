"""The docs site: Sphinx, pages in Markdown, references made from the code when the site is built.

A warning is an error and every reference must resolve (`make docs`), so a page cannot point at what is no longer there.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

from generators import command_reference, record_reference, training_reference

from fedka.version import VERSION

project = "Fedka"
release = VERSION
author = "the Fedka authors"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["generators"]
templates_path: list[str] = []

nitpicky = True
nitpick_ignore_regex = [
    # No inventory of the standard library is fetched: a build asks nobody on the network.
    ("py:class", r"(collections|logging|pathlib|typing)\..*"),
    ("py:class", r"fedka\.participant\.\w+\.(ConfigT|FunctionT)"),  # type variables have no page
]
myst_enable_extensions = ["attrs_inline", "deflist"]
suppress_warnings = ["toc.empty_glob"]
myst_heading_anchors = 3  # links such as install.md#uninstall, as the forge resolves them
# Types are told by the text: a signature with them would name modules that nobody imports from.
autodoc_typehints = "none"
autodoc_default_options = {"member-order": "bysource"}
default_role = "code"  # docstrings put names in single back-ticks

html_theme = "furo"
html_title = f"Fedka {VERSION}"
html_static_path = ["_static"]
html_css_files = ["fedka.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "native"

_GENERATED = re.compile(r"^<!-- generated: (?P<name>\w+)(?: (?P<argument>[\w.]+))? -->$", re.MULTILINE)
_MAKERS: dict[str, Callable[[str], str]] = {
    "commands": command_reference.render,
    "records": record_reference.render,
    "training": training_reference.render,
}


def _fill_in(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Put what the code says where a page asks for it."""
    source[0] = _GENERATED.sub(lambda found: _MAKERS[found["name"]](found["argument"] or ""), source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _fill_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
