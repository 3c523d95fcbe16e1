"""The paper's figures for print: they take results and compute nothing.

Each returns a matplotlib Figure with an Agg canvas: no window, no global state. The style is
`amorphace.mplstyle`, beside this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from matplotlib import rc_context, rc_params_from_file
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from amorphace.core.files import written_aside
from amorphace.dataset.table import Columns
from amorphace.learn.bundle import Analysis
from amorphace.learn.classifiers import ClassifierScore
from amorphace.learn.clusters import ClusterCurve, ClusterMap
from amorphace.learn.curves import AccuracyCurve
from amorphace.learn.distributions import Distribution
from amorphace.learn.learning_curve import LearningCurve
from amorphace.learn.regression import CorrelationCurve
from amorphace.learn.selection import Selection
from amorphace.report.content import (
    RadialFunctions,
    Relaxation,
    ReportContent,
    Snapshot,
    StressStrain,
    colour_range,
    majority,
    slice_rows,
    symmetric_range,
    vanishes,
)
from amorphace.report.palette import (
    ACTIVE_COLOUR,
    DASHES,
    DIVERGING,
    INACTIVE_COLOUR,
    LEFT,
    MARKERS,
    PALETTE,
    colour,
)
from amorphace.report.words import (
    ACCURACY,
    DENSITY,
    NUMBER_OF_COLUMNS,
    PEARSON,
    for_matplotlib,
    scope_name,
    short_target,
)

__all__ = [
    "COLUMN_WIDTH",
    "PALETTE",
    "accuracy_figure",
    "calibration_figure",
    "cluster_curves_figure",
    "cluster_maps_figure",
    "content_figures",
    "correlation_figure",
    "distribution_figure",
    "learning_figure",
    "radial_figure",
    "relaxation_figure",
    "save_figure",
    "selection_figure",
    "slice_figure",
    "stress_strain_figure",
]

COLUMN_WIDTH = 3.35
"""Width of a journal's column, in inches."""

FORMATS = ("png", "pdf", "svg")
NO_DATE: Mapping[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}

DISTANCE = r"$r/\sigma$"
CUTOFF = r"$r_\mathrm{cut}/\sigma$"
ASPECT = 0.78

Array: TypeAlias = NDArray[Any]


def radial_figure(radial: RadialFunctions, *, width: float = COLUMN_WIDTH) -> Figure:
    """Radial basis functions R_n(r) (Fig. 1)."""
    with _panel(width) as (figure, axes):
        for k, R in enumerate(radial.R.T):
            axes.plot(radial.r, R, color=colour(k), ls=DASHES[k % len(DASHES)], label=f"{k + 1}")
        axes.set(xlabel=DISTANCE, ylabel="$R_n(r)$", xlim=(0, radial.cutoff))
        axes.legend(title="$n$", ncols=2)
    return figure


def slice_figure(
    snapshots: Sequence[Snapshot],
    column: str = "d2min",
    *,
    axis: int = 2,
    width: float = COLUMN_WIDTH,
) -> Figure:
    """Slices one diameter thick, majority particles only, coloured by a column (Fig. 2).

    One panel a snapshot, each with its own colour scale, from the smallest value of the species
    to the 98th percentile.
    """
    with _style():
        n = max(len(snapshots), 1)
        figure = _blank(width * n, 0.86 * width)
        for k, snapshot in enumerate(snapshots, start=1):
            _draw_slice(figure, figure.add_subplot(1, n, k), snapshot, column, axis)
    return figure


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
    """
    with _panel(width) as (figure, axes):
        for k, curve in enumerate(sorted(curves, key=lambda c: c.cutoff or 0.0)):
            label = "" if curve.cutoff is None else f"{curve.cutoff:g}"
            _draw_curve(axes, curve.n_columns, curve.mean, curve.std, k, label)
        _finish_columns(axes, columns, species, title)
        axes.set_ylabel(ACCURACY)
        if any(curve.cutoff is not None for curve in curves):
            axes.legend(title=CUTOFF, loc="best")
    return figure


def distribution_figure(
    distributions: Mapping[str, Distribution], *, title: str = "", width: float = COLUMN_WIDTH
) -> Figure:
    """One column for active and inactive sites, all protocols in one panel (Fig. 4).

    Parameters
    ----------
    distributions : mapping of str to Distribution
        By protocol; the first is drawn solid, the second dashed.
    title : str
    width : float
        In inches.
    """
    with _panel(width) as (figure, axes):
        several = len(distributions) > 1
        for k, (protocol, d) in enumerate(distributions.items()):
            for name, density, paint in (
                ("active", d.active, ACTIVE_COLOUR),
                ("inactive", d.inactive, INACTIVE_COLOUR),
            ):
                label = for_matplotlib(f"{name}, {protocol}" if several else name)
                axes.stairs(density, d.edges, color=paint, ls=DASHES[k], lw=1.1, label=label)
        columns = dict.fromkeys(d.column for d in distributions.values())
        axes.set(xlabel=f"column {for_matplotlib(', '.join(columns))}", ylabel=DENSITY)
        top = max(max(d.active.max(), d.inactive.max()) for d in distributions.values())
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_ylim(0, top * (1.35 if several else 1.2))  # room for the legend
        axes.legend(ncols=2 if several else 1, loc="upper center" if several else "best")
        axes.set_title(for_matplotlib(title))
    return figure


def selection_figure(
    standard: AccuracyCurve | None,
    selections: Sequence[Selection],
    pca: AccuracyCurve | None,
    *,
    title: str = "",
    n_named: int = 3,
    width: float = COLUMN_WIDTH,
) -> Figure:
    """Forward selection beside the standard order and principal components (Fig. 5).

    The first `n_named` picks of the first selection are written at its markers.
    """
    with _panel(width) as (figure, axes):
        most = max([len(s.indices) for s in selections] + [20])
        if standard is not None:
            near = standard.n_columns <= most
            mean, std = standard.mean[near], standard.std[near]
            _draw_curve(axes, standard.n_columns[near], mean, std, 0, "standard order")
        for k, s in enumerate(selections, start=1):
            steps = np.arange(1, len(s.indices) + 1)
            _draw_curve(
                axes,
                steps,
                s.mean,
                s.std,
                k,
                f"SFS, {scope_name(s.scope).removesuffix(' columns')}",
            )
        if pca is not None:
            k = len(selections) + 1
            _draw_curve(axes, pca.n_columns, pca.mean, pca.std, k, "principal components")
        for s in selections[:1]:
            for step, name in enumerate(s.names[:n_named]):
                axes.annotate(
                    for_matplotlib(name),
                    (step + 1, s.mean[step]),
                    xytext=(4, -9),
                    textcoords="offset points",
                    fontsize=7,
                )
        axes.set(xlabel=NUMBER_OF_COLUMNS, ylabel=ACCURACY)
        axes.set_title(for_matplotlib(title))
        # outside: where the curves of shear leave room, those of thermal motion do not
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def learning_figure(
    curves: Sequence[LearningCurve], *, title: str = "", width: float = COLUMN_WIDTH
) -> Figure:
    """Accuracy on training and on test rows against the training data (Fig. 6)."""
    with _panel(width) as (figure, axes):
        for k, curve in enumerate(curves):
            x, spread = curve.n_sites, curve.test.std(axis=1, ddof=1)
            _draw_curve(
                axes, x, curve.test.mean(axis=1), spread, k, f"{curve.n_columns} columns, test"
            )
            axes.plot(x, curve.train.mean(axis=1), color=colour(k), ls="dashed")
        axes.plot([], [], color="0.4", ls="dashed", label="training")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set(xlabel="sites trained on", ylabel="accuracy")
        axes.set_title(for_matplotlib(title))
        # outside: training curves fill the top of the panel, test curves the bottom
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def correlation_figure(
    curves: Sequence[CorrelationCurve],
    columns: Columns,
    *,
    title: str = "",
    species: Sequence[str] = (),
    width: float = COLUMN_WIDTH,
) -> Figure:
    """Pearson correlation of ARD regression against the number of columns (Fig. 7)."""
    with _panel(width) as (figure, axes):
        for k, curve in enumerate(sorted(curves, key=lambda c: c.cutoff or 0.0)):
            label = "" if curve.cutoff is None else f"{curve.cutoff:g}"
            _draw_curve(axes, curve.n_columns, curve.mean, curve.std, k, label)
            some = curve.n_undefined > 0  # open: the mean is not over all folds
            axes.plot(
                curve.n_columns[some],
                curve.mean[some],
                ls="none",
                marker=_marker(k),
                markeredgecolor=colour(k),
                markerfacecolor="white",
                zorder=4,
            )
        _finish_columns(axes, columns, species, title)
        targets = dict.fromkeys(short_target(c.target, c.log_target) for c in curves)
        axes.set_ylabel(for_matplotlib(f"{PEARSON} ({', '.join(targets)})"))
        axes.legend(title=CUTOFF, loc="best")
    return figure


def calibration_figure(scores: Sequence[ClassifierScore], *, width: float = COLUMN_WIDTH) -> Figure:
    """Share of active sites against the predicted probability."""
    with _panel(width, 0.9) as (figure, axes):
        axes.plot([0, 1], [0, 1], color="0.5", lw=0.8, ls="dotted")
        for k, score in enumerate(s for s in scores if s.calibration is not None):
            c = score.calibration
            assert c is not None
            name = f"{score.n_columns} columns"
            axes.plot(c.predicted, c.observed, color=colour(k), marker=_marker(k), label=name)
        axes.set(
            xlabel="predicted probability of being active",
            ylabel="observed share of active",
            xlim=(0, 1),
            ylim=(0, 1),
            aspect="equal",
        )
        axes.legend(loc="upper left")
    return figure


def cluster_curves_figure(
    curves: Sequence[ClusterCurve], *, label: str = "$v_1(r; z)$", width: float = COLUMN_WIDTH
) -> Figure:
    """v1(r; z), or v3 of three neighbours at one distance, with bands over folds."""
    with _panel(width) as (figure, axes):
        axes.axhline(0, color="0.5", lw=0.6)
        for k, c in enumerate(curves):
            name = for_matplotlib(" ".join(c.species))
            axes.plot(c.r, c.mean, color=colour(k), ls=DASHES[k % len(DASHES)], label=name)
            _draw_band(axes, c.r, c.mean, c.std, k)
        axes.set(xlabel=DISTANCE, ylabel=f"{label} (log-odds)")
        axes.margins(x=0)
        axes.legend()
    return figure


def cluster_maps_figure(
    maps: Sequence[ClusterMap], *, x_label: str, y_label: str, width: float = COLUMN_WIDTH
) -> Figure:
    """v2 over two of its variables, one panel for each pair of species."""
    with _style():
        figure = _blank(0.7 * width * len(maps) + 0.5, 0.72 * width)
        panels = figure.subplots(1, len(maps), sharey=True, squeeze=False)[0]
        most = symmetric_range([m.mean for m in maps])
        cmap = LinearSegmentedColormap.from_list("inactive-active", list(DIVERGING))
        for axes, m in zip(panels, maps, strict=True):
            image = axes.pcolormesh(
                m.x, m.y, m.mean.T, cmap=cmap, vmin=-most, vmax=most, rasterized=True
            )
            axes.set(xlabel=x_label, title=for_matplotlib(" ".join(m.species)))
        panels[0].set_ylabel(y_label)
        figure.colorbar(image, ax=list(panels), label="log-odds", pad=0.02, extend="both")
    return figure


def stress_strain_figure(runs: Sequence[StressStrain], *, width: float = COLUMN_WIDTH) -> Figure:
    """Shear stress against strain; ticks along the bottom mark the events."""
    with _panel(width) as (figure, axes):
        for k, run in enumerate(runs):
            name = for_matplotlib(run.name)
            axes.plot(run.strain, run.stress, color=colour(k), lw=0.8, label=name)
            at = axes.get_xaxis_transform()
            axes.plot(
                run.events, np.full(len(run.events), 0.02), "|", color=colour(k), transform=at
            )
        axes.set(xlabel=r"shear strain $\gamma$", ylabel=r"shear stress $/\,\epsilon\sigma^{-3}$")
        axes.margins(x=0)
        if len(runs) > 1:
            axes.legend()
    return figure


def relaxation_figure(runs: Sequence[Relaxation], *, width: float = COLUMN_WIDTH) -> Figure:
    """Self-intermediate scattering function; the dotted line is 1/e."""
    with _panel(width) as (figure, axes):
        axes.axhline(np.exp(-1), color="0.5", lw=0.8, ls="dotted")
        for k, run in enumerate(runs):
            axes.plot(run.time, run.fs, color=colour(k), label=for_matplotlib(run.name))
        axes.set_xscale("log")
        axes.set(xlabel=r"$t/\tau_\mathrm{LJ}$", ylabel=r"$F_\mathrm{s}(q, t)$", ylim=(None, 1.02))
        if len(runs) > 1:
            axes.legend()
    return figure


def content_figures(content: ReportContent) -> dict[str, Figure]:
    """All figures that a report's content has numbers for, by name of the file."""
    found: dict[str, Figure] = {}
    if content.radial is not None:
        found["figure-1-radial"] = radial_figure(content.radial)
    if moved := [s for s in content.snapshots if "d2min" in s.columns]:
        found["figure-2-slices"] = slice_figure(moved[:3])
    if content.analysis is not None:
        found |= _analysis_figures(content, content.analysis)
    if (c := content.clusters) is not None:
        r1, r2 = r"$r_1/\sigma$", r"$r_2/\sigma$"
        found["clusters-v1"] = cluster_curves_figure(c.v1)
        if not vanishes(c.v2_distance):
            found["clusters-v2"] = cluster_maps_figure(c.v2_distance, x_label=r1, y_label=r2)
        if not vanishes(c.v2_angle):
            found["clusters-v2-angle"] = cluster_maps_figure(
                c.v2_angle, x_label=DISTANCE, y_label="angle (degrees)"
            )
        if c.v3 and not vanishes(c.v3):
            found["clusters-v3"] = cluster_curves_figure(c.v3, label="$v_3(r, r, r)$")
    if content.stress_strain:
        found["stress-strain"] = stress_strain_figure(content.stress_strain)
    if content.relaxation:
        found["relaxation"] = relaxation_figure(content.relaxation)
    return found


def _analysis_figures(content: ReportContent, a: Analysis) -> dict[str, Figure]:
    """Figures 3 to 7 and the calibration."""
    found: dict[str, Figure] = {}
    species = content.species or a.species
    if a.accuracy:
        found["figure-3-accuracy"] = accuracy_figure(a.accuracy, a.columns, species=species)
    analyses = {content.protocol or "this set": a}
    if content.companion is not None:
        analyses[content.companion_protocol or "the other protocol"] = content.companion
    for k, d in enumerate(a.distributions, start=1):
        both = {
            p: x for p, one in analyses.items() for x in one.distributions if x.column == d.column
        }
        found[f"figure-4-distribution-{k}"] = distribution_figure(both)
    if a.selections or a.pca is not None:
        standard = next((c for c in a.accuracy if c.cutoff == a.cutoff), None)
        found["figure-5-selection"] = selection_figure(standard, a.selections, a.pca)
    for vary in ("samples", "sites"):
        if curves := [c for c in a.learning if c.vary == vary]:
            found[f"figure-6-learning-{vary}"] = learning_figure(curves)
    for log, name in ((False, "figure-7-ard"), (True, "figure-7-ard-log")):
        if regressions := [c for c in a.ard if c.log_target == log]:
            found[name] = correlation_figure(regressions, a.columns, species=species)
    if any(score.calibration is not None for score in a.classifiers):
        found["calibration"] = calibration_figure(a.classifiers)
    return found


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
        for suffix in formats:
            target = Path(f"{path}.{suffix}")
            with written_aside(target) as partial:
                figure.savefig(partial, format=suffix, dpi=300, metadata=NO_DATE[suffix])
            written.append(target)
    return tuple(written)


def save_figures(folder: str | Path, content: ReportContent) -> tuple[str, ...]:
    """Write all figures of a content to a folder, which appears whole; their names.

    Parameters
    ----------
    folder : str or Path
        One that is there is replaced.
    content : ReportContent
    """
    figures = content_figures(content)
    with written_aside(folder, folder=True) as partial:
        partial.mkdir()
        for name, figure in figures.items():
            save_figure(figure, partial / name)
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


def _blank(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained", dpi=300)
    FigureCanvasAgg(figure)
    return figure


@contextmanager
def _panel(width: float, aspect: float = ASPECT) -> Iterator[tuple[Figure, Axes]]:
    """A figure of one panel, drawn in the style."""
    with _style():
        figure = _blank(width, aspect * width)
        yield figure, figure.add_subplot()


def _marker(k: int) -> str:
    return MARKERS[k % len(MARKERS)]


def _draw_curve(axes: Axes, x: Array, mean: Array, std: Array, k: int, label: str) -> None:
    """A curve with markers and a band of one standard deviation on both sides."""
    name = for_matplotlib(label)
    axes.plot(x, mean, color=colour(k), marker=_marker(k), lw=1, label=name, zorder=3)
    _draw_band(axes, x, mean, std, k)


def _draw_band(axes: Axes, x: Array, mean: Array, std: Array, k: int) -> None:
    axes.fill_between(x, mean - std, mean + std, color=colour(k), alpha=0.12, lw=0, zorder=2)


def _draw_slice(figure: Figure, axes: Axes, snapshot: Snapshot, column: str, axis: int) -> None:
    """Particles of a slice as discs of their diameter."""
    x, y = (k for k in range(3) if k != axis)
    glass = snapshot.configuration.wrapped()
    kind = majority(glass)
    rows = slice_rows(glass, axis=axis, species=[kind])
    rows = rows[np.argsort(glass.positions[rows, axis])]  # nearer ones cover those behind
    size = np.full(len(rows), snapshot.diameters.get(kind, 1.0))
    discs = EllipseCollection(
        size,
        size,
        np.zeros(len(rows)),
        units="xy",
        offsets=glass.positions[rows][:, [x, y]],
        offset_transform=axes.transData,
        cmap="viridis",
        linewidths=0.25,
        edgecolors="0.2",
    )
    discs.set_array(snapshot.columns[column][rows])
    discs.set_clim(*colour_range(snapshot.columns[column][glass.species == kind]))
    axes.add_collection(discs)
    reach = glass.positions[:, [x, y]]
    (left, bottom), (right, top) = reach.min(axis=0) - 0.6, reach.max(axis=0) + 0.6
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    axes.set(xlabel=rf"${'xyz'[x]}/\sigma$", ylabel=rf"${'xyz'[y]}/\sigma$")
    axes.set_title(for_matplotlib(snapshot.protocol or snapshot.name))
    title = r"$D^2_\mathrm{min}/\sigma^2$" if column == "d2min" else for_matplotlib(column)
    figure.colorbar(discs, ax=axes, label=title, extend="max", shrink=0.9)


def _finish_columns(axes: Axes, columns: Columns, species: Sequence[str], title: str) -> None:
    """The axis of numbers of columns, with body orders and species marked."""
    _draw_orders(axes, columns)
    _draw_species(axes, columns, species)
    axes.set_xscale("log")
    axes.set_xlim(LEFT, len(columns) * 1.15)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(NUMBER_OF_COLUMNS)
    if title:
        axes.set_title(for_matplotlib(title), pad=13)  # above the names of the body orders


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
                for_matplotlib(species[z]),
                (start + 0.5 if start else LEFT, 0),
                xycoords=axes.get_xaxis_transform(),
                xytext=(3.5, 5),
                textcoords="offset points",
                fontsize=7.5,
                color="0.25",
            )
