"""report.html: one page that holds everything it shows and opens without a network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.colors import Colormap
from numpy.typing import NDArray
from plotly.offline import get_plotlyjs

from amorphace.core.files import text_written_aside
from amorphace.dataset.provenance import package_version
from amorphace.report.comparison import comparisons
from amorphace.report.content import (
    HealthLine,
    ReportContent,
    Snapshot,
    colour_range,
)
from amorphace.report.figures import colour_map
from amorphace.report.numbers import numbers, propensity_numbers
from amorphace.report.palette import ACTIVE_COLOUR, INACTIVE_COLOUR, PALETTE
from amorphace.report.panel import Panel
from amorphace.report.panels import sections
from amorphace.report.paper import CITATION, WHAT_DIFFERS, published
from amorphace.report.plots import plot
from amorphace.report.verdict import classifier_rows, headline, verdict
from amorphace.report.words import LABELS, quantity, target_name

N_FIGURES = 7
"""Of the paper; further sections come after the 3D view."""

VIEW_BYTES = 2_000_000
"""Most that the configurations of the 3D view may take: the page stays below 6 MB."""

SCALE_COLOURS = 48
COLUMN_SCALE, SCORE_SCALE = "viridis", "diverging"
"""Of measured quantities, and of the score: from inactive (blue) to active (vermillion)."""
FAINT_GREY = (176, 182, 190)


def write_report(path: str | Path, content: ReportContent) -> Path:
    """Write the page; the file appears whole or not at all.

    The same content gives the same bytes.

    Parameters
    ----------
    path : str or Path
        Ends in .html, say; one that is there is replaced.
    content : ReportContent

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    InputError
        If the folder does not exist.
    """
    with text_written_aside(path) as stream:
        stream.write(page(content))
    return Path(path)


def page(content: ReportContent) -> str:
    """The page as text: all strings of the content are escaped, data is JSON without tags."""
    parts = sections(content)
    drawn = [panel for part in parts for panel in part.panels]
    plots = {panel.name: plot(panel) for panel in drawn}
    shown, left_out = _views(content.snapshots)
    script = _asset("view.js") + _asset("page.js")
    digest, plotly = _library()
    history = tuple(_lines(content.provenance))
    brief = tuple(line for line in history if _is_brief(line))
    health = sorted(content.health, key=lambda line: line.ok)
    return _template().render(
        content=content,
        version=package_version(),
        policy=Markup(_policy(digest, _digest(script))),
        css=_asset("page.css"),
        plotly=plotly,
        js=script,
        data=_packed(_json(_data(content, drawn, plots, shown))),
        heights={name: each["layout"]["height"] for name, each in plots.items()},
        figures=parts[:N_FIGURES],
        more=parts[N_FIGURES:],
        warnings=_warnings(content, health),
        headline=headline(content.analysis),
        verdict=verdict(content),
        notes=content.analysis.notes if content.analysis else (),
        comparisons=comparisons(content),
        citation=CITATION,
        classifiers=classifier_rows(content.analysis),
        propensity=content.propensity,
        published=published(content.model),
        what_differs=WHAT_DIFFERS,
        provenance=brief,
        more_provenance=tuple(line for line in history if line not in brief),
        settings=tuple(_lines(content.settings)),
        health=health,
        n_failed=sum(not line.ok for line in health),
        views=shown,
        view_absent=_view_absent(content, left_out),
        number=_number,
        spread=_spread,
        target=target_name,
    )


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("amorphace.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("page.html.j2")


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


def _warnings(content: ReportContent, health: list[HealthLine]) -> tuple[str, ...]:
    """Of the content, of the analysis, and of failed checks; each once."""
    failed = (f"{line.unit}: {line.text or line.quantity}" for line in health if not line.ok)
    of_analysis = content.analysis.warnings if content.analysis else ()
    return tuple(dict.fromkeys((*content.warnings, *failed, *of_analysis)))


def _data(
    content: ReportContent,
    drawn: Sequence[Panel],
    plots: Mapping[str, Any],
    shown: tuple[Snapshot, ...],
) -> dict[str, Any]:
    """What the scripts of the page read."""
    tables = {panel.name: panel.numbers for panel in drawn}
    if content.analysis and (curves := content.analysis.curves("classifiers")):
        tables["classifiers"] = numbers(curves)
    if content.propensity:
        tables["propensity"] = propensity_numbers(content.propensity)
    return {
        "plots": plots,
        "csv": {name: table.csv() for name, table in tables.items()},
        "snapshots": [_view(s) for s in shown],
        "palettes": {
            COLUMN_SCALE: _scale(matplotlib.colormaps[COLUMN_SCALE]),
            SCORE_SCALE: _scale(colour_map()),
            "classes": [_rgb(paint) for paint in PALETTE],
        },
    }


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


def _views(snapshots: tuple[Snapshot, ...]) -> tuple[tuple[Snapshot, ...], tuple[Snapshot, ...]]:
    """Configurations that fit into the page, and the others."""
    shown, left_out, used = [], [], 0
    for s in snapshots:
        size = len(s.configuration) * (6 + 1 + 4 + 4 * len(s.columns)) * 4 // 3
        if used + size > VIEW_BYTES:
            left_out.append(s)
        else:
            shown.append(s)
            used += size
    return tuple(shown), tuple(left_out)


def _view_absent(content: ReportContent, left_out: tuple[Snapshot, ...]) -> tuple[str, ...]:
    if not content.snapshots:
        return ("There is no 3D view, because no configuration was given with these results.",)
    return tuple(
        f"{s.name} is not in the 3D view, because its {len(s.configuration)} particles would make "
        "the page too large."
        for s in left_out
    )


def _view(s: Snapshot) -> dict[str, Any]:
    """A configuration as the 3D view reads it: 16 bits a coordinate, 32 a number."""
    glass = s.configuration.wrapped()
    species = list(dict.fromkeys(sorted(glass.species.tolist())))
    inside = np.clip(glass.fractional(), 0, 1 - 2**-17)
    return {
        "name": s.name,
        "caption": s.caption,
        "n": len(glass),
        "cell": glass.cell.tolist(),
        "heights": glass.heights.tolist(),
        "species": species,
        "diameters": [float(s.diameters.get(label, 1.0)) for label in species],
        "kind": _base64(glass.species_index(species).astype("<u1")),
        "ids": _base64(glass.ids.astype("<i4")),
        "fractional": _base64((inside * 65536).astype("<u2")),
        "columns": {name: _column(name, values) for name, values in s.columns.items()},
    }


def _column(name: str, values: NDArray[np.float64]) -> dict[str, Any]:
    column: dict[str, Any] = {"title": quantity(name), "values": _base64(values.astype("<f4"))}
    if name == "label":
        paints = {1: _rgb(ACTIVE_COLOUR), 0: _rgb(INACTIVE_COLOUR), -1: list(FAINT_GREY)}
        classes = [
            {"value": k, "text": text, "colour": paints[k], "faint": k == -1}
            for k, text in LABELS.items()
        ]
        return column | {"classes": classes}
    low, high = (0.0, 1.0) if name == "score" else colour_range(values)
    scale = SCORE_SCALE if name == "score" else COLUMN_SCALE
    clipped = bool(np.nanmax(values, initial=-np.inf) > high)
    return column | {"range": [low, high], "scale": scale, "clipped": clipped}


def _scale(colours: Colormap) -> list[list[int]]:
    """Colours of a matplotlib scale, 0 to 255."""
    paints = colours(np.linspace(0, 1, SCALE_COLOURS))[:, :3]
    return np.rint(255 * paints).astype(int).tolist()


def _rgb(paint: str) -> list[int]:
    return [int(paint[k : k + 2], 16) for k in (1, 3, 5)]


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _lines(fields: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """A mapping as lines of names and texts; nested ones as "outer: inner"."""
    for key, value in fields.items():
        name = f"{before}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from _lines(value, f"{name}: ")
        elif isinstance(value, list | tuple):
            yield name, ", ".join(_words(entry) for entry in value) or "none"
        else:
            yield name, _words(value)


def _is_brief(line: tuple[str, str]) -> bool:
    """Of the last step itself, and short."""
    name, text = line
    return ":" not in name and len(text) < 700


def _words(value: Any) -> str:
    if isinstance(value, Mapping):  # a file and its digest, of which twelve letters will do
        return " ".join(_words(v)[:12] if k == "sha256" else _words(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(entry) for entry in value)
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _spread(values: NDArray[np.float64]) -> str:
    known = values[np.isfinite(values)]
    if not len(known):
        return "none"
    spread = f"\u00a0±\u00a0{known.std(ddof=1):.2f}" if len(known) > 1 else ""
    return f"{known.mean():.2f}{spread}"
