"""Panels for print: matplotlib figures with an Agg canvas, no window and no global state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context, rc_params_from_file
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from amorphace.core.files import written_aside
from amorphace.report.content import ReportContent
from amorphace.report.palette import DIVERGING, MARKERS, colour
from amorphace.report.panel import Axis, Bars, Line, Panel, Rule
from amorphace.report.panels import panels
from amorphace.report.words import for_matplotlib

COLUMN_WIDTH = 3.35
"""Width of a journal's column, in inches."""
ASPECT, SQUARE = 0.78, 0.9
"""Height over width, of a panel and of one with equal axes."""

FORMATS = ("png", "pdf", "svg")
NO_DATE: Mapping[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
FAINT, INK = 0.12, "0.35"


def draw(panel: Panel, *, title: str = "", width: float = COLUMN_WIDTH) -> Figure:
    """A panel as a figure.

    Parameters
    ----------
    panel : Panel
    title : str
        Above it.
    width : float
        In inches; of each map where several stand side by side.
    """
    with _style():
        n = max(len(panel.maps), 1)
        size = (width, (SQUARE if panel.equal else ASPECT) * width)
        if panel.maps:
            size = (0.7 * width * n + 0.5, 0.72 * width)
        figure = Figure(figsize=size, layout="constrained", dpi=300)
        FigureCanvasAgg(figure)
        all_axes = figure.subplots(1, n, sharey=True, squeeze=False)[0].tolist()
        axes: Axes = all_axes[0]
        for line in panel.lines:
            _line(axes, line)
        for bars in panel.bars:
            _bars(axes, bars)
        for rule in panel.rules:
            _rule(axes, rule)
        shown = _maps(all_axes, panel) if panel.maps else _discs(axes, panel)
        if shown is not None and panel.colours is not None:
            ends = "both" if panel.colours.diverging else "max"
            label = for_matplotlib(panel.colours.label)
            figure.colorbar(shown, ax=all_axes, label=label, pad=0.02, extend=ends)
        for each in all_axes:
            each.set_xlabel(for_matplotlib(panel.x.label))
            _scale(each, panel.x, "x")
        axes.set_ylabel(for_matplotlib(panel.y.label))
        _scale(axes, panel.y, "y")
        if panel.equal:
            axes.set_aspect("equal")
        if title:
            above = any(rule.text and not rule.foot for rule in panel.rules)
            axes.set_title(for_matplotlib(title), pad=13 if above else None)
        _legend(figure, axes, panel)
    return figure


def content_figures(content: ReportContent) -> dict[str, Figure]:
    """All figures that a report's content has numbers for, by name of the file."""
    return {name: draw(panel) for name, panel in panels(content).items()}


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
            written.append(target)
    return tuple(written)


def save_figures(
    folder: str | Path, content: ReportContent, formats: Sequence[str] = FORMATS
) -> tuple[str, ...]:
    """Write all figures of a content to a folder, which appears whole; their names.

    Parameters
    ----------
    folder : str or Path
        One that is there is replaced.
    content : ReportContent
    formats : sequence of {"png", "pdf", "svg"}
    """
    figures = content_figures(content)
    with written_aside(folder, folder=True) as partial:
        partial.mkdir()
        for name, figure in figures.items():
            save_figure(figure, partial / name, formats)
    return tuple(figures)


@cache
def _rc() -> Any:
    """The settings of the style file."""
    with as_file(files("amorphace.report").joinpath("amorphace.mplstyle")) as path:
        return rc_params_from_file(path, use_default_template=False)


@contextmanager
def _style() -> Iterator[None]:
    with rc_context(_rc()):
        yield


def _line(axes: Axes, line: Line) -> None:
    paint = line.paint or colour(line.k)
    marker = (line.marker or MARKERS[line.k % len(MARKERS)]) if line.markers else ""
    hollow = np.zeros(len(line.x), dtype=bool) if line.hollow is None else line.hollow
    all_hollow = len(hollow) > 0 and bool(hollow.all())
    axes.plot(
        line.x,
        line.y,
        color=paint,
        ls=line.dash if line.joined else "none",
        marker=marker,
        mfc="none" if all_hollow else paint,
        label=for_matplotlib(line.name),
        zorder=3,
    )
    if line.spread is not None:
        low, high = line.y - line.spread, line.y + line.spread
        axes.fill_between(line.x, low, high, color=paint, alpha=FAINT, lw=0, zorder=2)
    if line.filled:
        axes.fill_between(line.x, 0, line.y, color=paint, alpha=FAINT, lw=0, zorder=2)
    if hollow.any() and not all_hollow:
        at = line.x[hollow], line.y[hollow]
        axes.plot(*at, ls="none", marker=marker, mec=paint, mfc="white", zorder=4)
    for note, x, y in zip(line.notes[: line.n_written], line.x, line.y, strict=False):
        axes.annotate(
            for_matplotlib(note), (x, y), xytext=(4, -9), textcoords="offset points", fontsize=7
        )


def _rule(axes: Axes, rule: Rule) -> None:
    upright = rule.across == "x"
    if rule.dash:
        across = axes.axvline if upright else axes.axhline
        across(rule.at, color=INK, lw=0.8, ls=rule.dash, zorder=1)
    if rule.text and upright:
        axes.annotate(
            for_matplotlib(rule.text),
            (rule.at, 0 if rule.foot else 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(3.5, 5) if rule.foot else (0, 2),
            textcoords="offset points",
            fontsize=7.5,
            color="0.25",
        )


def _bars(axes: Axes, bars: Bars) -> None:
    axes.barh(
        [for_matplotlib(label) for label in bars.labels],
        bars.values,
        xerr=bars.spread,
        color=[colour(k) for k in bars.k],
        label=for_matplotlib(bars.name),
        error_kw={"lw": 0.8},
        height=0.7,
    )
    if not axes.yaxis_inverted():
        axes.invert_yaxis()


def _maps(all_axes: list[Axes], panel: Panel) -> Any:
    assert panel.colours is not None
    low, high = panel.colours.low, panel.colours.high
    shown = None
    for axes, m in zip(all_axes, panel.maps, strict=True):
        shown = axes.pcolormesh(
            m.x, m.y, m.z.T, cmap=colour_map(), vmin=low, vmax=high, rasterized=True
        )
        axes.set_title(for_matplotlib(m.name))
    return shown


def colour_map() -> LinearSegmentedColormap:
    """From inactive (blue) through white to active (vermillion)."""
    return LinearSegmentedColormap.from_list("diverging", list(DIVERGING))


def _discs(axes: Axes, panel: Panel) -> Any:
    d = panel.discs
    if d is None or panel.colours is None:
        return None
    size = np.full(len(d.x), d.diameter)
    discs = EllipseCollection(
        size,
        size,
        np.zeros(len(d.x)),
        units="xy",
        offsets=np.column_stack([d.x, d.y]),
        offset_transform=axes.transData,
        cmap="viridis",
        linewidths=0.25,
        edgecolors="0.2",
    )
    discs.set_array(d.values)
    discs.set_clim(panel.colours.low, panel.colours.high)
    axes.add_collection(discs)
    axes.set(xlim=(d.x.min() - 0.6, d.x.max() + 0.6), ylim=(d.y.min() - 0.6, d.y.max() + 0.6))
    return discs


def _scale(axes: Axes, axis: Axis, which: str) -> None:
    side = axes.xaxis if which == "x" else axes.yaxis
    if axis.log:
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        side.set_major_formatter(StrMethodFormatter("{x:g}"))
        side.set_minor_formatter(NullFormatter())
    if axis.ticks:
        side.set_ticks(list(axis.ticks))
    if axis.low is not None or axis.high is not None:
        limit = axes.set_xlim if which == "x" else axes.set_ylim
        limit(axis.low, axis.high)


def _legend(figure: Figure, axes: Axes, panel: Panel) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) < 2 and not (labels and panel.legend):
        return
    title = for_matplotlib(panel.legend) or None
    if panel.corner:
        axes.legend(title=title, loc=panel.corner, ncols=2 if len(labels) > 5 else 1)
    else:
        figure.legend(handles, labels, title=title, loc="outside upper center", ncols=2)
