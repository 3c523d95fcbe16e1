"""Sphinx: `make docs` builds build/docs; warnings are errors; nothing is fetched."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version as package_version
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))
import generate

project = "amorphace"
author = "The amorphace developers"
copyright = author
release = version = package_version("amorphace")

extensions = [
    "mathml",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_design",
]
exclude_patterns = [
    "_generated/*/*.md",
    "_generated/engines.md",
    "_generated/speed.md",
    "results/conditions.md",
    "results/summary.md",
]
default_role = "py:obj"
smartquotes = False  # --option stays what it is

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_title = "amorphace"
html_static_path = ["_static"]
html_css_files = ["amorphace.css"]
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "header_links_before_dropdown": 8,
    "show_toc_level": 2,
}
html_show_sourcelink = False
html_show_sphinx = False
html_copy_source = False


def plain_marks(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Docstrings are plain text: |u| is a length and basis_ a name, no markup of Sphinx."""
    for k, line in enumerate(lines):
        if line.lstrip().startswith((">>>", "...", ".. ")):
            continue
        parts = re.split(r"(`+[^`]*`+)", line)
        parts[::2] = [re.sub(r"(?<!\\)(\||\w_(?=\W|$))", _escaped, part) for part in parts[::2]]
        lines[k] = "".join(parts)


def _escaped(match: re.Match[str]) -> str:
    mark = match[0]
    return rf"\{mark}" if mark == "|" else rf"{mark[:-1]}\_"


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", lambda app: generate.main())
    app.connect("autodoc-process-docstring", plain_marks, priority=900)
