"""Panels for print: matplotlib figures with an Agg canvas, no window and no global state."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context, rc_params_from_file
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter, StrMethodFormatter

from amorphace.core.files import written_aside
from amorphace.report.palette import SCALE, colour, marker
from amorphace.report.panel import Axis, Bars, Colours, Discs, Line, Panel, Rule
from amorphace.report.words import for_matplotlib

COLUMN_WIDTH = 3.35
"""Width of a journal's column, in inches."""
ASPECT, SQUARE = 0.78, 0.9
"""Height over width, of a panel and of one with equal axes."""
CELL = 0.7, 0.6
"""Width and height of a panel in a grid, in columns."""
LETTERS = 64
"""Of a legend's line over one column."""

FORMATS = ("png", "pdf", "svg")
NO_DATE: Mapping[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
PLACES = re.compile(r' (?:d|x|y)="[^"]*"|translate\([^)]*\)')
"""Where numbers of a picture of SVG are places."""
LONG = re.compile(r"-?\d+\.\d{3,}")
FAINT, INK = 0.12, "0.35"
SCREEN = 144
"""Pixels an inch in a notebook."""


class Picture(Figure):
    """A figure that a notebook shows by itself, without pyplot."""

    def _repr_png_(self) -> bytes:
        stream = BytesIO()
        with _style():
            self.savefig(stream, format="png", dpi=SCREEN)
        return stream.getvalue()


def draw(panel: Panel, *, title: str = "", width: float = COLUMN_WIDTH) -> Picture:
    """A panel as a figure.

    Parameters
    ----------
    panel : Panel
        In a grid, axes are labelled at the left and at the foot only.
    title : str
        Above it.
    width : float
        In inches, of one journal column.
    """
    n_rows, n = len(panel.rows), len(panel.rows[0])
    size = (width, (SQUARE if panel.equal else ASPECT) * width)
    if panel.grid:
        size = (CELL[0] * width * n + 0.5, CELL[1] * width * n_rows + 0.4)
    with _style():
        figure = Picture(figsize=size, layout="constrained", dpi=300)
        FigureCanvasAgg(figure)
        all_axes = figure.subplots(n_rows, n, sharex="col", sharey=True, squeeze=False)
        shown = None
        cells = [part for row in panel.rows for part in row]
        for part, axes in zip(cells, all_axes.ravel(), strict=True):
            if part is None:
                axes.set_visible(False)
                continue
            shown = _draw(part, axes)
            if panel.grid:
                axes.set_title(for_matplotlib(part.title), pad=_pad(part))
                axes.label_outer()
        if shown is not None and panel.colours is not None:
            label, ends = for_matplotlib(panel.colours.label), _ends(panel.colours)
            figure.colorbar(
                shown, ax=all_axes.ravel().tolist(), label=label, pad=0.02, extend=ends,
                shrink=0.85 if panel.equal else 1,
            )  # fmt: skip
        if title and panel.grid:
            figure.suptitle(for_matplotlib(title))
        elif title:
            all_axes[0, 0].set_title(for_matplotlib(title), pad=_pad(panel))
        _legend(figure, all_axes.ravel().tolist(), panel, n)
    return figure


def save_figure(
    figure: Figure, path: str | Path, formats: Sequence[str] = FORMATS
) -> tuple[Path, ...]:
    """Write a figure as PATH.png, PATH.pdf and PATH.svg, without dates; each appears whole.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or Path
        Without a suffix.
    formats : sequence of str
        Of "png", "pdf" and "svg".

    Returns
    -------
    tuple of Path
        What was written, in the order of `formats`.
    """
    written = []
    with _style():
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # found once, for all formats
        for suffix in formats:
            target = Path(f"{path}.{suffix}")
            with written_aside(target) as partial:
                figure.savefig(partial, format=suffix, dpi=300, metadata=NO_DATE[suffix])
                if suffix == "svg":
                    _round_places(partial)
            written.append(target)
    return tuple(written)


def save_figures(
    folder: str | Path, panels: Mapping[str, Panel], formats: Sequence[str] = FORMATS
) -> None:
    """Write panels to a folder, which appears whole.

    Parameters
    ----------
    folder : str or Path
        One that is there is replaced.
    panels : mapping of str to Panel
        By name of the file.
    formats : sequence of {"png", "pdf", "svg"}
    """
    with written_aside(folder, folder=True) as partial:
        partial.mkdir()
        for name, panel in panels.items():
            save_figure(draw(panel), partial / name, formats)


def _round_places(file: Path) -> None:
    """Places in a picture of SVG to a hundredth of a point, which makes it an eighth smaller."""
    text = PLACES.sub(lambda found: LONG.sub(_short, found[0]), file.read_text("utf-8"))
    file.write_text(text, "utf-8")


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


@cache
def _rc() -> Any:
    """The settings of the style file."""
    with as_file(files("amorphace.report").joinpath("amorphace.mplstyle")) as path:
        return rc_params_from_file(path, use_default_template=False)


@contextmanager
def _style() -> Iterator[None]:
    with rc_context(_rc()):
        yield


def _draw(panel: Panel, axes: Axes) -> Any:
    """One panel on its axes; what the colours are of."""
    for line in panel.lines:
        _line(axes, line)
    for bars in panel.bars:
        _bars(axes, bars)
    for rule in panel.rules:
        _rule(axes, rule)
    axes.set(xlabel=for_matplotlib(panel.x.label), ylabel=for_matplotlib(panel.y.label))
    shown = None
    if panel.map is not None and panel.colours is not None:
        m, c = panel.map, panel.colours
        shown = axes.pcolormesh(
            m.x, m.y, m.z.T, cmap=colour_map(), vmin=c.low, vmax=c.high, rasterized=True
        )
    if panel.discs is not None and panel.colours is not None:
        shown = _discs(axes, panel.discs, panel.colours)
    _scale(axes, panel.x, "x")
    _scale(axes, panel.y, "y")
    if panel.equal:
        axes.set_aspect("equal")
    return shown


def _line(axes: Axes, line: Line) -> None:
    paint = line.paint or colour(line.k)
    symbol = marker(line.k) if line.marker == "k" else line.marker
    hollow = np.zeros(len(line.x), dtype=bool) if line.hollow is None else line.hollow
    all_hollow = len(hollow) > 0 and bool(hollow.all())
    axes.plot(
        line.x,
        line.y,
        color=paint,
        ls=line.dash if line.joined else "none",
        marker=symbol,
        mfc="none" if all_hollow else paint,
        label=for_matplotlib(line.name),
        zorder=3,
    )
    if line.error is not None and line.bars is not None:
        x, y, error = (values[line.bars] for values in (line.x, line.y, line.error))
        axes.errorbar(x, y, error, fmt="none", ecolor=paint, elinewidth=0.8, capsize=1.5, zorder=2)
    elif line.error is not None:
        low, high = line.y - line.error, line.y + line.error
        axes.fill_between(line.x, low, high, color=paint, alpha=FAINT, lw=0, zorder=2)
    if line.filled:
        axes.fill_between(line.x, 0, line.y, color=paint, alpha=FAINT, lw=0, zorder=2)
    if hollow.any() and not all_hollow:
        at = line.x[hollow], line.y[hollow]
        axes.plot(*at, ls="none", marker=symbol, mec=paint, mfc="white", zorder=4)
    for note, x, y in zip(line.notes[: line.n_written], line.x, line.y, strict=False):
        axes.annotate(
            for_matplotlib(note),
            (x, y),
            (-3, 3),
            textcoords="offset points",
            fontsize=7,
            ha="right",
        )


def _rule(axes: Axes, rule: Rule) -> None:
    upright = rule.across == "x"
    if rule.dash:
        across = axes.axvline if upright else axes.axhline
        across(rule.at, color=INK, lw=0.8, ls=rule.dash, zorder=1)
    if rule.text and upright:
        axes.annotate(
            for_matplotlib(rule.text),
            (rule.at, 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0, 2),
            textcoords="offset points",
            fontsize=7.5,
            color="0.25",
        )


def _bars(axes: Axes, bars: Bars) -> None:
    axes.barh(
        [for_matplotlib(label) for label in bars.labels],
        bars.values,
        xerr=bars.error,
        color=[colour(k) for k in bars.k],
        label=for_matplotlib(bars.name),
        error_kw={"lw": 0.8},
        height=0.7,
    )
    if not axes.yaxis_inverted():
        axes.invert_yaxis()


def colour_map() -> LinearSegmentedColormap:
    """From blue through white to vermillion."""
    return LinearSegmentedColormap.from_list("amorphace", list(SCALE))


def _discs(axes: Axes, d: Discs, colours: Colours) -> EllipseCollection:
    size = np.full(len(d.x), d.diameter)
    discs = EllipseCollection(
        size,
        size,
        np.zeros(len(d.x)),
        units="xy",
        offsets=np.column_stack([d.x, d.y]),
        offset_transform=axes.transData,
        cmap=colour_map(),
        linewidths=0.25,
        edgecolors="0.2",
    )
    discs.set_array(d.values)
    discs.set_clim(colours.low, colours.high)
    axes.add_collection(discs)
    return discs


def _ends(colours: Colours) -> str:
    """At which ends of a colour bar there may be more: a scale around zero is open at both."""
    return "both" if colours.low < 0 else "max"


def _scale(axes: Axes, axis: Axis, which: str) -> None:
    side = axes.xaxis if which == "x" else axes.yaxis
    if not axis.log and which == "x":
        side.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    if axis.log:
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        side.set_major_formatter(StrMethodFormatter("{x:g}"))
        side.set_minor_formatter(NullFormatter())
    if axis.ticks:
        side.set_ticks(list(axis.ticks))
    if axis.low is not None or axis.high is not None:
        limit = axes.set_xlim if which == "x" else axes.set_ylim
        limit(axis.low, axis.high)


def _pad(panel: Panel) -> float | None:
    """Room below a title, for the words of the rules."""
    return 13 if any(rule.text for rule in panel.rules) else None


def _legend(figure: Figure, all_axes: Sequence[Axes], panel: Panel, n: int) -> None:
    """Above the panels, off the curves; each name once."""
    found: dict[str, Any] = {}
    for axes in all_axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if len(found) < 2 and not (found and panel.legend):
        return
    longest = max(map(len, found)) + 8  # and the sample of the line
    columns = min(len(found), max(1, n * LETTERS // longest))
    title = for_matplotlib(panel.legend) or None
    figure.legend(found.values(), found, title=title, loc="outside upper center", ncols=columns)
