"""The figures as interactive plots: they take results and compute nothing.

Each function has its twin in `figures`. Colours of text and grid are the light ones; a page
recolours them in the dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from amorphace.dataset.table import Columns
from amorphace.learn.classifiers import ClassifierScore
from amorphace.learn.clusters import ClusterCurve, ClusterMap, Contributions
from amorphace.learn.curves import AccuracyCurve
from amorphace.learn.distributions import Distribution
from amorphace.learn.learning_curve import LearningCurve
from amorphace.learn.propensity import PropensityCurve
from amorphace.learn.regression import CorrelationCurve
from amorphace.learn.selection import Selection, SelectionStability
from amorphace.report.content import (
    RadialFunctions,
    Relaxation,
    Snapshot,
    StressStrain,
    colour_range,
    majority,
    slice_rows,
    symmetric_range,
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
    DISTANCE,
    LOG_ODDS,
    NUMBER_OF_COLUMNS,
    PEARSON,
    body_name,
    cutoff_name,
    for_plotly,
    quantity,
    scope_name,
    target_name,
)

Array: TypeAlias = NDArray[Any]
INK, GRID = "#1b1f24", "#e3e6ea"
FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
SYMBOLS = {"o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down"}
PLOTLY_DASHES = {"solid": "solid", "dashed": "dash", "dotted": "dot", "dashdot": "dashdot"}
HEIGHT = 400
SLICE_PIXELS = 270
"""Across the panel of a slice, about: a marker is one diameter wide."""


def radial_plot(radial: RadialFunctions) -> go.Figure:
    """Radial basis functions R_n(r) (Fig. 1)."""
    figure = go.Figure()
    for k, R in enumerate(radial.R.T):
        _line(figure, radial.r, R, name=f"n = {k + 1}", k=k, dash=DASHES[k % len(DASHES)])
    return _finish(figure, DISTANCE, "R<sub>n</sub>(r)")


def slice_plot(snapshot: Snapshot, column: str = "d2min", *, axis: int = 2) -> go.Figure:
    """A slice one diameter thick, majority particles only, coloured by a column (Fig. 2)."""
    x, y = (k for k in range(3) if k != axis)
    glass = snapshot.configuration.wrapped()
    kind = majority(glass)
    rows = slice_rows(glass, axis=axis, species=[kind])
    values = snapshot.columns[column][rows]
    low, high = colour_range(snapshot.columns[column][glass.species == kind])
    span = float(np.ptp(glass.positions[:, [x, y]], axis=0).max())
    at = glass.positions[rows]
    figure = go.Figure(
        go.Scatter(
            x=at[:, x],
            y=at[:, y],
            mode="markers",
            marker={
                "size": float(np.clip(SLICE_PIXELS / max(span, 1.0), 3, 40)),
                "color": values,
                "colorscale": "Viridis",
                "cmin": low,
                "cmax": high,
                "line": {"width": 0.5, "color": "rgba(0,0,0,.45)"},
                "colorbar": {
                    "title": {"text": for_plotly(quantity(column))},
                    "thickness": 12,
                    "outlinewidth": 0,
                },
            },
            customdata=glass.ids[rows],
            hovertemplate="particle %{customdata}<br>%{marker.color:.4g}<extra></extra>",
            showlegend=False,
        )
    )
    names = "xyz"
    figure = _finish(figure, f"{names[x]} / σ", f"{names[y]} / σ")
    figure.update_yaxes(scaleanchor="x", constrain="domain")
    figure.update_xaxes(constrain="domain")
    return figure.update_layout(height=460, hovermode="closest")


def accuracy_plot(
    curves: Sequence[AccuracyCurve], columns: Columns, *, species: Sequence[str] = ()
) -> go.Figure:
    """Accuracy against the number of columns, one curve a cutoff (Fig. 3)."""
    figure = go.Figure()
    for k, curve in enumerate(sorted(curves, key=lambda c: c.cutoff or 0.0)):
        text = list(curve.last_column) if curve.last_column else None
        _banded(
            figure,
            curve.n_columns,
            curve.mean,
            curve.std,
            name=cutoff_name(curve.cutoff) or "accuracy",
            k=k,
            text=text,
        )
    _mark_columns(figure, columns, species)
    return _columns_axis(_finish(figure, NUMBER_OF_COLUMNS, ACCURACY), len(columns))


def distribution_plot(distributions: Mapping[str, Distribution]) -> go.Figure:
    """One column for active and inactive sites, all protocols in one panel (Fig. 4).

    Parameters
    ----------
    distributions : mapping of str to Distribution
        By protocol; the first is drawn solid, the second dashed.
    """
    figure = go.Figure()
    several = len(distributions) > 1
    for k, (protocol, d) in enumerate(distributions.items()):
        for name, density, paint in (
            ("active", d.active, ACTIVE_COLOUR),
            ("inactive", d.inactive, INACTIVE_COLOUR),
        ):
            figure.add_scatter(
                x=np.repeat(d.edges, 2)[1:-1],
                y=np.repeat(density, 2),
                mode="lines",
                name=for_plotly(f"{name}, {protocol}" if several else name),
                line={"color": paint, "width": 1.8, "dash": "dash" if k else "solid"},
                fill=None if k else "tozeroy",
                fillcolor=_faint(paint),
            )
    first = next(iter(distributions.values()))
    return _finish(figure, f"column {for_plotly(first.column)}", DENSITY)


def selection_plot(
    standard: AccuracyCurve | None, selections: Sequence[Selection], pca: AccuracyCurve | None
) -> go.Figure:
    """Forward selection beside the standard order and principal components (Fig. 5)."""
    figure = go.Figure()
    most = max([len(s.indices) for s in selections] + [20])
    if standard is not None:
        near = standard.n_columns <= most
        mean, std = standard.mean[near], standard.std[near]
        _banded(figure, standard.n_columns[near], mean, std, name="standard order", k=0)
    for k, s in enumerate(selections, start=1):
        steps = np.arange(1, len(s.indices) + 1)
        _banded(
            figure,
            steps,
            s.mean,
            s.std,
            name=for_plotly(f"SFS, {scope_name(s.scope)}"),
            k=k,
            text=[for_plotly(name) for name in s.names],
        )
    if pca is not None:
        k = len(selections) + 1
        _banded(figure, pca.n_columns, pca.mean, pca.std, name="principal components", k=k)
    return _finish(figure, f"{NUMBER_OF_COLUMNS} (or components)", ACCURACY)


def stability_plot(stability: SelectionStability, *, most: int = 12) -> go.Figure:
    """How often resampled selections pick a column."""
    names = [for_plotly(name) for name in stability.names[:most]]
    figure = go.Figure()
    among = f"among the first {stability.n_steps}"
    for k, (label, share) in enumerate(((among, stability.frequency), ("first", stability.first))):
        figure.add_bar(
            y=names, x=share[:most], orientation="h", name=label, marker={"color": colour(k)}
        )
    figure = _finish(figure, "share of bootstrap runs that pick the column", "")
    figure.update_yaxes(autorange="reversed", automargin=True, type="category")
    return figure.update_layout(
        barmode="overlay", hovermode="y unified", height=120 + 26 * len(names)
    )


def learning_plot(curves: Sequence[LearningCurve]) -> go.Figure:
    """Accuracy on training and on test rows against the training data (Fig. 6)."""
    figure = go.Figure()
    for k, curve in enumerate(curves):
        name = f"{curve.n_columns} columns"
        x = curve.n_sites
        spread = curve.test.std(axis=1, ddof=1)
        _banded(figure, x, curve.test.mean(axis=1), spread, name=f"{name}, test", k=k)
        _line(figure, x, curve.train.mean(axis=1), name=f"{name}, training", k=k, dash="dashed")
    figure = _finish(figure, "sites trained on", "accuracy")
    return figure.update_xaxes(type="log", tickvals=_log_ticks([c.n_sites for c in curves]))


def correlation_plot(
    curves: Sequence[CorrelationCurve], columns: Columns, *, species: Sequence[str] = ()
) -> go.Figure:
    """Pearson correlation of ARD regression against the number of columns (Fig. 7)."""
    figure = go.Figure()
    for k, curve in enumerate(sorted(curves, key=lambda c: c.cutoff or 0.0)):
        name = cutoff_name(curve.cutoff) or "ARD"
        undefined, n_folds = curve.n_undefined, curve.pearson.shape[1]
        text = [f"{n} of {n_folds} folds undefined" if n else "" for n in undefined]
        _banded(figure, curve.n_columns, curve.mean, curve.std, name=name, k=k, text=text)
        symbols = [_symbol(k) + ("-open" if n else "") for n in undefined]
        figure.update_traces(marker_symbol=symbols, selector=-1)
    _mark_columns(figure, columns, species)
    return _columns_axis(_finish(figure, NUMBER_OF_COLUMNS, PEARSON), len(columns))


def calibration_plot(scores: Sequence[ClassifierScore]) -> go.Figure:
    """Share of active sites against the predicted probability."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="perfect",
        line={"color": "#888", "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )
    for k, score in enumerate(s for s in scores if s.calibration is not None):
        c = score.calibration
        assert c is not None
        figure.add_scatter(
            x=c.predicted,
            y=c.observed,
            customdata=c.count,
            mode="lines+markers",
            name=f"{score.n_columns} columns",
            line={"color": colour(k), "width": 1.6},
            marker={"symbol": _symbol(k), "size": 7},
            hovertemplate="predicted %{x:.3f}, observed %{y:.3f}, %{customdata} sites",
        )
    return _finish(figure, "predicted probability of being active", "observed share of active")


def cluster_curves_plot(
    curves: Sequence[ClusterCurve], *, label: str, band: bool = True
) -> go.Figure:
    """v1(r; z), or v3 of an equilateral triangle around the centre, with bands over folds."""
    figure = go.Figure()
    for k, c in enumerate(curves):
        name = for_plotly(" ".join(c.species))
        if band and len(c.v) > 1:
            _band(figure, c.r, c.mean, c.std, k, name)
        _line(figure, c.r, c.mean, name=name, k=k, dash=DASHES[k % len(DASHES)])
    figure.add_hline(y=0, line={"color": "#888", "width": 0.8})
    return _finish(figure, DISTANCE, f"{label} ({LOG_ODDS})")


def cluster_maps_plot(maps: Sequence[ClusterMap], *, x_title: str, y_title: str) -> go.Figure:
    """v2 over two of its variables, one panel for each pair of species."""
    titles = [for_plotly(" ".join(m.species)) for m in maps]
    figure = make_subplots(
        rows=1, cols=len(maps), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.04
    )
    most = symmetric_range([m.mean for m in maps])
    for k, m in enumerate(maps, start=1):
        figure.add_heatmap(
            x=m.x,
            y=m.y,
            z=m.mean.T.astype(np.float32),
            coloraxis="coloraxis",
            hovertemplate="r %{x:.2f}, %{y:.2f}: %{z:.3g}<extra></extra>",
            row=1,
            col=k,
        )
    figure = _finish(figure, x_title, "")
    figure.update_yaxes(title_text=y_title, row=1, col=1)
    figure.update_layout(
        hovermode="closest",
        coloraxis={
            "colorscale": DIVERGING,
            "cmin": -most,
            "cmax": most,
            "colorbar": {"title": {"text": LOG_ODDS}, "thickness": 12, "outlinewidth": 0},
        },
        margin={"t": 34},
    )
    return figure


def contributions_plot(contributions: Contributions) -> go.Figure:
    """Share of the variance of the log-odds that each part of the model brings."""
    parts = zip(contributions.order, contributions.species, strict=True)
    names = [for_plotly(body_name(order, species)) for order, species in parts]
    mean, spread = contributions.share.mean(axis=1), contributions.share.std(axis=1)
    figure = go.Figure(
        go.Bar(
            y=names,
            x=mean,
            orientation="h",
            error_x={"array": spread, "thickness": 1},
            marker={"color": [colour(order - 1) for order in contributions.order]},
            showlegend=False,
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        )
    )
    figure = _finish(figure, "share of the variance of the log-odds", "")
    figure.update_yaxes(autorange="reversed", automargin=True, type="category")
    return figure.update_layout(hovermode="closest", height=110 + 26 * len(names))


def propensity_plot(curves: Sequence[PropensityCurve]) -> go.Figure:
    """Correlation on unseen samples against the number of training samples."""
    figure = go.Figure()
    for k, c in enumerate(curves):
        mean, spread = c.pearson.mean(axis=1), c.pearson.std(axis=1, ddof=1)
        name = for_plotly(f"{target_name(c.target, c.log)}: {c.inputs}, {c.head}")
        _banded(figure, c.n_train, mean, spread, name=name, k=k)
    return _finish(figure, "training samples", f"{PEARSON}, unseen samples")


def stress_strain_plot(runs: Sequence[StressStrain]) -> go.Figure:
    """Shear stress against strain; a triangle marks every event."""
    figure = go.Figure()
    for k, run in enumerate(runs):
        _line(figure, run.strain, run.stress, name=for_plotly(run.name), k=k)
        if len(run.events):
            figure.add_scatter(
                x=run.events,
                y=np.interp(run.events, run.strain, run.stress),
                mode="markers",
                name=for_plotly(f"events of {run.name}"),
                marker={"symbol": "triangle-up-open", "color": colour(k), "size": 8},
            )
    figure = _finish(figure, "shear strain γ", "shear stress / (ε σ⁻³)")
    return figure.update_layout(hovermode="closest")


def relaxation_plot(runs: Sequence[Relaxation]) -> go.Figure:
    """Self-intermediate scattering function; the dotted line is 1/e."""
    figure = go.Figure()
    for k, run in enumerate(runs):
        later = run.time > 0  # a logarithmic axis has no zero
        _line(figure, run.time[later], run.fs[later], name=for_plotly(run.name), k=k)
    figure.add_hline(y=float(np.exp(-1)), line={"color": "#888", "width": 1, "dash": "dot"})
    figure = _finish(figure, "time t / τ<sub>LJ</sub>", "F<sub>s</sub>(q, t)")
    return figure.update_xaxes(type="log", dtick=1)


def _line(figure: go.Figure, x: Array, y: Array, *, name: str, k: int, dash: str = "solid") -> None:
    figure.add_scatter(
        x=x,
        y=np.asarray(y, dtype=np.float64),
        mode="lines",
        name=name,
        line={"color": colour(k), "width": 1.8, "dash": PLOTLY_DASHES[dash]},
    )


def _banded(
    figure: go.Figure,
    x: Array,
    mean: Array,
    std: Array,
    *,
    name: str,
    k: int,
    text: Sequence[str] | None = None,
) -> None:
    """A curve with markers and a band of one standard deviation on both sides."""
    _band(figure, x, mean, std, k, name)
    figure.add_scatter(
        x=x,
        y=mean,
        customdata=std,
        text=text,
        mode="lines+markers",
        name=name,
        legendgroup=name,
        line={"color": colour(k), "width": 1.8},
        marker={"symbol": _symbol(k), "size": 6},
        hovertemplate="%{y:.3f} ± %{customdata:.3f}" + ("  %{text}" if text else ""),
    )


def _band(figure: go.Figure, x: Array, mean: Array, std: Array, k: int, group: str) -> None:
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([mean - std, (mean + std)[::-1]]),
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=_faint(colour(k)),
        hoverinfo="skip",
        legendgroup=group,
        showlegend=False,
    )


def _faint(paint: str) -> str:
    """A colour that lets others through."""
    r, g, b = (int(paint[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({r},{g},{b},.15)"


def _symbol(k: int) -> str:
    return SYMBOLS.get(MARKERS[k % len(MARKERS)], "cross")


def _mark_columns(figure: go.Figure, columns: Columns, species: Sequence[str]) -> None:
    """Solid lines where a body order begins, dashed ones where the neighbour's species changes."""
    for order, start in columns.order_starts().items():
        at = start + 0.5 if start else LEFT
        if start:
            figure.add_vline(x=at, line={"color": "#777", "width": 1}, layer="below")
        _note(figure, at, 1.0, f"{order + 1}-body", "bottom")
    for start in columns.species_starts():
        at = start + 0.5 if start else LEFT
        if start:
            figure.add_vline(x=at, line={"color": "#777", "width": 1, "dash": "dash"})
        if len(species) > 1:
            _note(figure, at, 0.0, for_plotly(species[int(columns.z[start, 0])]), "bottom")


def _note(figure: go.Figure, x: float, y: float, text: str, anchor: str) -> None:
    """Text beside a line; annotations on a logarithmic axis are placed by the logarithm."""
    figure.add_annotation(
        x=float(np.log10(x)),
        y=y,
        yref="paper",
        text=text,
        showarrow=False,
        xanchor="left",
        yanchor=anchor,
        xshift=3,
        font={"size": 11},
    )


def _columns_axis(figure: go.Figure, n_columns: int) -> go.Figure:
    return figure.update_xaxes(
        type="log",
        range=[float(np.log10(LEFT)), float(np.log10(n_columns * 1.15))],
        tickvals=[k for k in (1, 10, 100, 1000, 10000) if k <= n_columns * 1.15],
    )


def _log_ticks(values: Sequence[Array]) -> list[int] | None:
    """Round numbers at which a short logarithmic axis has ticks."""
    if not values:
        return None
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    marks = [m * 10**e for e in range(7) for m in (1, 2, 5)]
    return [m for m in marks if 0.9 * low <= m <= 1.1 * high]


def _finish(figure: go.Figure, x: str, y: str) -> go.Figure:
    """Fonts, margins, axes: what all plots share."""
    axis = {
        "gridcolor": GRID,
        "linecolor": INK,
        "zeroline": False,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": INK,
        "automargin": True,
    }
    figure.update_layout(
        template="none",
        height=HEIGHT,
        margin={"l": 58, "r": 16, "t": 26, "b": 50},
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="x unified",
        hoverdistance=-1,  # the nearest point, however far
        modebar={"bgcolor": "rgba(0,0,0,0)"},
        legend={"bgcolor": "rgba(0,0,0,0)", "borderwidth": 0, "font": {"size": 12}},
        colorway=list(PALETTE),
    )
    figure.update_xaxes(title={"text": x, "standoff": 6}, **axis)  # a legend stands below it
    figure.update_yaxes(title_text=y, **axis)
    return figure
