"""A page of what was found: HTML that opens without a network, or Markdown with its pictures."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray
from plotly.offline import get_plotlyjs

from amorphace.core.digest import package_version
from amorphace.core.files import text_written_aside
from amorphace.report.claims import CITATION
from amorphace.report.content import ReportContent, Snapshot
from amorphace.report.document import document
from amorphace.report.figures import draw, save_figure
from amorphace.report.outline import Document
from amorphace.report.plots import plots
from amorphace.report.view import palettes, views
from amorphace.report.words import for_html, for_markdown

MARKDOWN = ".md"


def write_report(
    path: str | Path,
    content: ReportContent | Document,
    *,
    figures: Sequence[str] = ("",),
    numbers: bool = True,
) -> Path:
    """Write a page; the file appears whole or not at all.

    The same content gives the same bytes.

    Parameters
    ----------
    path : str or Path
        Ends in .html, say; one that is there is replaced. Beside a page that ends in .md stand its
        pictures, NAME.svg, and their numbers, NAME.csv.
    content : ReportContent or Document
        Of one case, or what `overview` makes of several.
    figures : sequence of str
        How the names of figures begin that stand on a page that ends in .md; all if left out.
    numbers : bool
        Whether NAME.csv are written beside it.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    InputError
        If the folder does not exist.
    """
    shown = document(content) if isinstance(content, ReportContent) else content
    path = Path(path)
    text = (
        page(shown)
        if path.suffix != MARKDOWN
        else _markdown(shown, path.parent, tuple(figures), numbers)
    )
    with text_written_aside(path) as stream:
        stream.write(text)
    return path


def page(shown: Document) -> str:
    """A page of HTML: all strings of the content are escaped, data is JSON without tags."""
    drawn = {panel.name: plots(panel) for panel in shown.panels.values()}
    snapshots = [s for part in shown.sections for s in part.snapshots]
    digest, plotly = _library()
    parts = {name: each for group in drawn.values() for name, each in group.items()}
    csv = {name: table.csv() for name, table in shown.numbers.items()}
    return _template("page.html.j2").render(
        _shared(snapshots, parts, csv, digest),
        page=shown,
        plotly=plotly,
        plots=drawn,
        citation=CITATION,
    )


def view_page(title: str, snapshots: Sequence[Snapshot]) -> str:
    """The 3D view alone, as a page of HTML that needs nothing else.

    Parameters
    ----------
    title : str
    snapshots : sequence of Snapshot
        At least one.
    """
    return _template("view.html.j2").render(_shared(snapshots, {}, {}), title=title)


def _shared(
    snapshots: Sequence[Snapshot], parts: Mapping[str, Any], csv: Mapping[str, str], *digests: str
) -> dict[str, Any]:
    """What every page of HTML needs: the 3D view, plots, numbers, and the digests of scripts."""
    script = _asset("view.js") + _asset("page.js")
    shown = list(views(snapshots))
    data = {"plots": parts, "csv": csv, "snapshots": shown, "palettes": palettes()}
    return {
        "version": package_version(),
        "policy": Markup(_policy(*digests, _digest(script))),
        "css": Markup(_asset("page.css")),
        "js": Markup(script),
        "data": _packed(_json(data)),
        "views": shown,
    }


def _markdown(shown: Document, folder: Path, figures: tuple[str, ...], numbers: bool) -> str:
    """A page of Markdown; pictures and numbers are written into a folder."""
    panels = {name: p for name, p in shown.panels.items() if name.startswith(figures)}
    for name, panel in panels.items():
        save_figure(draw(panel), folder / name, formats=("svg",))
    tables = {
        n: table
        for n, table in shown.numbers.items()
        if numbers and (n in panels or n not in shown.panels)
    }
    for name, table in tables.items():
        with text_written_aside(folder / f"{name}.csv") as stream:
            stream.write(table.csv())
    return _template("page.md.j2").render(page=shown, panels=panels, tables=tables)


@cache
def _template(name: str) -> Any:
    environment = Environment(
        loader=PackageLoader("amorphace.report"),
        autoescape=name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"said": for_html, "md": for_markdown}
    return environment.get_template(name)


def _asset(name: str) -> str:
    return files("amorphace.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _library() -> tuple[str, str]:
    """The digest of plotly's script, and the script packed."""
    text = get_plotlyjs()
    return _digest(text), _packed(text)


def _digest(script: str) -> str:
    """How a policy names a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _policy(*digests: str) -> str:
    """Nothing from a network, and no script but those of these digests."""
    return (
        f"default-src 'none'; script-src {' '.join(digests)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _json(value: Any) -> str:
    """JSON; arrays become lists of numbers."""
    return json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False, sort_keys=True)


def _packed(text: str) -> str:
    """Text as base64 of gzip, a third of its size; no letter of it can end an element."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _plain(value: Any) -> Any:
    """Arrays as lists, with five digits and None where there is no number."""
    if isinstance(value, np.ndarray):
        if not np.issubdtype(value.dtype, np.floating):
            return value.tolist()
        return _rounded(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no JSON")


def _rounded(values: NDArray[np.floating[Any]]) -> list[Any]:
    if values.ndim > 1:
        return [_rounded(row) for row in values]
    return [float(f"{v:.5g}") if np.isfinite(v) else None for v in values.tolist()]
