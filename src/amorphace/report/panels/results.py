"""What an analysis found, beyond plain curves: figures 4, 5, 6 and the calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.results import LINE, Curve
from amorphace.report.content import ReportContent
from amorphace.report.numbers import Numbers, curve_numbers
from amorphace.report.palette import ACTIVE_COLOUR, INACTIVE_COLOUR
from amorphace.report.panel import Axis, Bars, Line, Panel, Rule
from amorphace.report.panels.declared import DIAGONAL, SHEAR, dash_of, values
from amorphace.report.panels.making import captioned, scores_axis, shows
from amorphace.report.words import ACCURACY, DENSITY, NUMBER_OF_COLUMNS, PROTOCOLS, scope_name

CHANCE = Rule(at=0.5, across="y", dash="dotted")
FEW = (1, 2, 5, 10, 20)
"""Numbers of features at which figure 5 has error bars."""

MOST_BARS = 12
"""Features whose stability is drawn."""


@shows("figure-4-distribution")
def distributions(content: ReportContent) -> Iterator[Panel]:
    """A feature for active and inactive sites, both protocols in one panel (Fig. 4)."""
    a, other = content.analysis, content.companion
    analyses = {content.protocol: a, content.companion_protocol: other}
    thresholds = [(c, p) for c in content.found("thresholds") for p in range(len(c.labels))]
    for k, (found, p) in enumerate(thresholds, start=1):
        column = found.labels[p]
        both = {
            protocol: c for protocol, one in analyses.items() if one is not None
            for c in one.curves("distributions", column)
        }  # fmt: skip
        several = len(both) > 1
        panel = Panel(
            name=f"figure-4-distribution-{k}",
            x=Axis(label=f"feature {column}"),
            y=Axis(label=DENSITY, low=0.0),
            lines=tuple(
                Line(
                    name=f"{kind}, {PROTOCOLS.get(q, q or 'this set')}" if several else kind,
                    x=np.repeat(np.append(c.x, c["to"][-1]), 2)[1:-1],
                    y=np.repeat(c[kind][:, 0], 2),
                    paint=paint,
                    dash=dash_of(q),
                    filled=q != SHEAR,
                )
                for q, c in both.items()
                for kind, paint in (("active", ACTIVE_COLOUR), ("inactive", INACTIVE_COLOUR))
            ),
            wide=False,
            numbers=_by_protocol(both),
        )
        known = {name: float(score[p, 0]) for name, score in found.scores.items()}
        counts = {name: int(known[name]) for name in ("n_active", "n_inactive")}
        dashed = " Solid: thermal; dashed: sheared." if several else ""
        words = known | counts | {"column": column, "dashed": dashed}
        yield captioned(panel, words, "figure-4-distribution")


def _by_protocol(curves: Mapping[str, Curve]) -> Numbers:
    """The numbers of the same curve of several protocols."""
    rows = tuple((p, *row) for p, c in curves.items() for row in curve_numbers([c]).rows)
    return Numbers(columns=("protocol", *LINE), rows=rows)


def _line(content: ReportContent, c: Curve, name: str, k: int) -> Line:
    """Scores with error bars."""
    return Line(
        name=name,
        x=c.x,
        y=c.mean,
        error=c.error,
        bars=np.ones(len(c.x), dtype=bool),
        k=k,
        dash=dash_of(content.protocol),
        marker="k",
    )


@shows("figure-5-selection")
def selection(content: ReportContent) -> Iterator[Panel]:
    """Forward selection, the standard order and principal components (Fig. 5).

    Selection is judged where it is repeated inside each training fold, and dotted by the folds
    that chose.
    """
    a, picked, components = content.analysis, content.found("selection"), content.found("pca")
    if a is None or not (picked or components):
        return
    most = float(max([*FEW, *(c.x[-1] for c in picked)]))
    standard = a.curve("accuracy", "grouped")
    curves = {"standard order": standard} if standard else {}
    optimistic = []
    for c in picked:
        k, written = len(curves), 3 if c is picked[0] else 0
        name = f"SFS, {scope_name(c.variant).replace(' features', '')}"
        curves[name], *_ = (*content.found("nested_selection", c.variant), c)
        dotted = Line(name="", x=c.x, y=c.mean, k=k, dash="dotted", notes=c.labels)
        optimistic.append(replace(dotted, n_written=written))
    for c in components:
        curves[f"principal components{', raw' if c.variant == 'raw' else ''}"] = c
    lines = [
        replace(_line(content, c, name, k), bars=np.isin(c.x, FEW), notes=c.labels)
        for k, (name, c) in enumerate(curves.items())
    ]
    panel = Panel(
        name="figure-5-selection",
        x=Axis(label=f"{NUMBER_OF_COLUMNS} (or components)", low=0.0, high=most + 1),
        lines=tuple(_up_to(line, most) for line in (*lines, *optimistic)),
        rules=(CHANCE,),
        numbers=curve_numbers((*curves.values(), *(c for c in picked if c not in curves.values()))),
    )
    panel = replace(panel, y=scores_axis(ACCURACY, [panel]))
    yield captioned(panel, values(content, [next(iter(curves.values()))]))


def _up_to(line: Line, most: float) -> Line:
    """A line with error bars as far as some x."""
    n = int(np.searchsorted(line.x, most, side="right"))
    error, bars = (None if v is None else v[:n] for v in (line.error, line.bars))
    return replace(line, x=line.x[:n], y=line.y[:n], error=error, bars=bars, notes=line.notes[:n])


@shows("figure-5-stability")
def stability(content: ReportContent) -> Iterator[Panel]:
    """How often resampled selections pick a feature."""
    for k, c in enumerate(content.found("stability"), start=1):
        steps, n = int(np.nanmax(c.values)), len(c.labels[:MOST_BARS])
        shares = {
            f"among the first {steps}": np.isfinite(c.values).mean(axis=1),
            "first": (c.values == 1).mean(axis=1),
        }
        panel = Panel(
            name=f"figure-5-stability-{k}",
            x=Axis(label="share of bootstrap runs", low=0.0),
            bars=tuple(
                Bars(name=name, labels=c.labels[:n], values=share[:n], k=(b,) * n)
                for b, (name, share) in enumerate(shares.items())
            ),
            wide=False,
            numbers=curve_numbers([c]),
        )
        n_runs = c.values.shape[1]
        words = {"scope": scope_name(c.variant), "n_runs": n_runs, "n_steps": steps}
        yield captioned(panel, words, "figure-5-stability")


@shows("figure-6-learning")
def learning(content: ReportContent) -> Iterator[Panel]:
    """Accuracy on training and on test rows against the training data (Fig. 6)."""
    for vary, added in (
        ("samples", "whole samples"),
        ("sites", "sites of every training sample"),
    ):
        curves = content.found("learning", vary)
        if not curves:
            continue
        names = [f"{c.n_columns} features" for c in curves]
        tests = [_line(content, c, f"{names[k]}, test", k) for k, c in enumerate(curves)]
        training = [
            Line(name=f"{names[k]}, training", x=c.x, y=c["train"].mean(axis=1), k=k, dash="dotted")
            for k, c in enumerate(curves)
        ]
        ticks = _ticks(np.concatenate([c.x for c in curves]))
        panel = Panel(
            name=f"figure-6-learning-{vary}",
            x=Axis(label="sites trained on", log=True, ticks=ticks),
            y=Axis(label=ACCURACY),
            lines=(*tests, *training),
            wide=False,
            numbers=curve_numbers(curves),
        )
        yield captioned(panel, values(content, curves) | {"added": added}, "figure-6-learning")


def _ticks(x: NDArray[np.float64]) -> tuple[float, ...]:
    """Round numbers at which a short logarithmic axis has ticks."""
    marks = [float(m * 10**e) for e in range(7) for m in (1, 2, 5)]
    return tuple(m for m in marks if 0.9 * x.min() <= m <= 1.1 * x.max())


@shows("calibration")
def calibration(content: ReportContent) -> Iterator[Panel]:
    """Share of active sites against the score."""
    curves = content.found("calibration")
    if not curves:
        return
    lines = tuple(
        Line(
            name=f"{c.n_columns} features",
            x=c["predicted"][:, 0],
            y=c["observed"][:, 0],
            k=k,
            marker="k",
            notes=tuple(f"{count:.0f} sites" for count in c["count"][:, 0]),
        )
        for k, c in enumerate(curves)
    )
    panel = Panel(
        name="calibration",
        x=Axis(label="score", low=0.0, high=1.0),
        y=Axis(label="observed share of active", low=0.0, high=1.0),
        lines=(DIAGONAL, *lines),
        equal=True,
        wide=False,
        numbers=curve_numbers(curves),
    )
    brier = ", ".join(f"{c['brier'][0, 0]:.3f} with {c.n_columns} features" for c in curves)
    yield captioned(panel, {"brier": brier})
