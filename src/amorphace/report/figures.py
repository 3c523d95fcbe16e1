"""The paper's figures, from tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from amorphace.core.files import written_aside
from amorphace.dataset.table import Columns
from amorphace.learn.curves import AccuracyCurve

COLUMN_WIDTH = 3.35
"""Width of a journal's column, in inches."""

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's colours, told apart by colour-blind readers."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""One a curve, so that the curves can be told apart without colour too."""

LEFT = 0.88
"""Left end of the axis of numbers of columns, a little before the first."""

STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8.5,
    "legend.fontsize": 7.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.linewidth": 0.7,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "mathtext.fontset": "dejavusans",
    "pdf.fonttype": 42,
}


def accuracy_figure(
    curves: Sequence[AccuracyCurve],
    columns: Columns,
    *,
    title: str = "",
    species: Sequence[str] = (),
    width: float = COLUMN_WIDTH,
) -> Figure:
    """Accuracy against the number of columns, a panel of Fig. 3.

    One curve for every cutoff, with a band of one standard deviation between folds on both sides.
    Solid vertical lines stand where a higher body order begins, dashed ones where the radial
    columns turn to the next species of neighbour.

    Parameters
    ----------
    curves : sequence of AccuracyCurve
    columns : Columns
        What the columns are.
    title : str
    species : sequence of str
        Labels of the neighbours' species, written beside the dashed lines; none when left out.
    width : float
        In inches; the height is 0.78 of it.

    Returns
    -------
    matplotlib.figure.Figure
        With an Agg canvas; no window, no global state.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(width, 0.78 * width), layout="constrained", dpi=300)
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        for k, curve in enumerate(sorted(curves, key=lambda c: c.cutoff or 0.0)):
            _draw_curve(axes, curve, PALETTE[k % len(PALETTE)], MARKERS[k % len(MARKERS)])
        _draw_orders(axes, columns)
        _draw_species(axes, columns, species)
        axes.set_xscale("log")
        axes.set_xlim(LEFT, len(columns) * 1.15)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("number of columns")
        axes.set_ylabel("accuracy (cross-validated)")
        if any(curve.cutoff is not None for curve in curves):
            axes.legend(title=r"$r_\mathrm{cut}/\sigma$", loc="best", frameon=False)
        if title:
            axes.set_title(title, pad=13)  # above the names of the body orders
    return figure


def save_figure(figure: Figure, path: str | Path) -> tuple[Path, Path]:
    """Write a figure as PATH.png and PATH.pdf; both hold no date, and each appears whole.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or Path
        Without a suffix.

    Returns
    -------
    tuple of Path
        The PNG and the PDF file.
    """
    png, pdf = (Path(f"{path}.{suffix}") for suffix in ("png", "pdf"))
    with rc_context(STYLE):
        with written_aside(png) as partial:
            figure.savefig(partial, format="png", dpi=300, metadata={"Software": None})
        with written_aside(pdf) as partial:
            figure.savefig(partial, format="pdf", metadata={"CreationDate": None})
    return png, pdf


def _draw_curve(axes: Axes, curve: AccuracyCurve, color: str, marker: str) -> None:
    label = "" if curve.cutoff is None else f"{curve.cutoff:g}"
    axes.plot(
        curve.n_columns, curve.mean, color=color, marker=marker, ms=3, lw=1, label=label, zorder=3
    )
    axes.fill_between(
        curve.n_columns,
        curve.mean - curve.std,
        curve.mean + curve.std,
        color=color,
        alpha=0.12,
        lw=0,
        zorder=2,
    )


def _draw_orders(axes: Axes, columns: Columns) -> None:
    """A solid line before the first column of each higher order, and the body order's name."""
    starts = columns.order_starts()
    for order, start in starts.items():
        if start:
            axes.axvline(start + 0.5, color="0.35", lw=0.8, zorder=1)
        axes.annotate(
            f"{order + 1}-body",
            (start + 0.5 if start else LEFT, 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0, 2),
            textcoords="offset points",
            fontsize=7.5,
            color="0.25",
        )


def _draw_species(axes: Axes, columns: Columns, species: Sequence[str]) -> None:
    """A dashed line before the first radial column of every further species of neighbour."""
    for start in columns.species_starts():
        if start:
            axes.axvline(start + 0.5, color="0.35", lw=0.8, ls=(0, (4, 3)), zorder=1)
        z = int(columns.z[start, 0])
        if len(species) > 1:
            axes.annotate(
                species[z],
                (start + 0.5 if start else LEFT, 0),
                xycoords=axes.get_xaxis_transform(),
                xytext=(3.5, 5),
                textcoords="offset points",
                fontsize=7.5,
                color="0.25",
            )
