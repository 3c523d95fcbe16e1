"""What an analysis found: figures 3 to 7, the calibration and the ROC curve."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from amorphace.learn.bundle import Analysis
from amorphace.report.content import ReportContent
from amorphace.report.numbers import Numbers, analysis_numbers
from amorphace.report.palette import ACTIVE_COLOUR, INACTIVE_COLOUR
from amorphace.report.panel import Axis, Bars, Dash, Line, Panel, Rule
from amorphace.report.panels.making import bands, captioned, column_rules, columns_axis, shows
from amorphace.report.words import (
    ACCURACY,
    CLASSIFIERS,
    CUTOFF,
    DENSITY,
    NUMBER_OF_COLUMNS,
    PEARSON,
    scope_name,
    short_target,
    target_name,
)

CHANCE = Rule(at=0.5, across="y", dash="dotted")
DIAGONAL = Line(
    name="", x=np.array([0.0, 1.0]), y=np.array([0.0, 1.0]), paint="#888888", dash="dotted"
)
SELECTION_COLUMNS = 20
"""Up to which the standard order is compared with forward selection."""


@shows("figure-3")
def accuracy(content: ReportContent) -> Iterator[Panel]:
    """Accuracy against the number of columns, a curve for each cutoff (Fig. 3)."""
    a = content.analysis
    if a is None or not a.accuracy:
        return
    curves = sorted(a.accuracy, key=lambda c: c.cutoff or 0.0)
    panel = Panel(
        name="figure-3-accuracy",
        x=columns_axis(a.columns),
        y=Axis(label=ACCURACY),
        lines=tuple(
            Line(
                name="" if c.cutoff is None else f"{c.cutoff:g} σ",
                x=c.n_columns,
                y=c.mean,
                spread=c.std,
                k=k,
                markers=True,
                notes=c.last_column,
            )
            for k, c in enumerate(curves)
        ),
        rules=(CHANCE, *column_rules(a.columns, content.species or a.species)),
        legend=CUTOFF,
        corner="upper left",
        numbers=analysis_numbers(a, "accuracy"),
    )
    yield captioned(panel, {"bands": bands(curves[0].accuracy.shape[1])})


@shows("figure-4")
def distributions(content: ReportContent) -> Iterator[Panel]:
    """A column for active and inactive sites, both protocols in one panel (Fig. 4)."""
    a = content.analysis
    for k, d in enumerate(a.distributions if a else (), start=1):
        assert a is not None
        protocols = {content.protocol or "this set": a}
        if content.companion is not None:
            protocols[content.companion_protocol or "the other protocol"] = content.companion
        both = {
            name: x for name, one in protocols.items() for x in one.distributions
            if x.column == d.column
        }  # fmt: skip
        several = len(both) > 1
        dashes: tuple[Dash, ...] = ("solid", "dashed")
        panel = Panel(
            name=f"figure-4-distribution-{k}",
            x=Axis(label=f"column {d.column}"),
            y=Axis(label=DENSITY, low=0.0),
            lines=tuple(
                Line(
                    name=f"{kind}, {protocol}" if several else kind,
                    x=np.repeat(x.edges, 2)[1:-1],
                    y=np.repeat(density, 2),
                    paint=paint,
                    dash=dash,
                    filled=dash == "solid",
                )
                for (protocol, x), dash in zip(both.items(), dashes, strict=False)
                for kind, density, paint in (
                    ("active", x.active, ACTIVE_COLOUR),
                    ("inactive", x.inactive, INACTIVE_COLOUR),
                )
            ),
            corner="" if several else "upper right",
            wide=False,
            numbers=_by_protocol(protocols, d.column),
        )
        dashed = " Solid: {}; dashed: {}.".format(*both) if several else ""
        yield captioned(panel, {**vars(d), "dashed": dashed}, "figure-4-distribution")


def _by_protocol(analyses: dict[str, Analysis], column: str) -> Numbers:
    """Distributions of one column, of several protocols."""
    parts = {
        p: analysis_numbers(a, "distributions", {"column": column}) for p, a in analyses.items()
    }
    first = next(iter(parts.values()))
    return Numbers(
        columns=("protocol", *first.columns),
        rows=tuple((protocol, *row) for protocol, part in parts.items() for row in part.rows),
    )


@shows("figure-5")
def selection(content: ReportContent) -> Iterator[Panel]:
    """Forward selection, the standard order and principal components (Fig. 5)."""
    a = content.analysis
    if a is None or not (a.selections or a.pca is not None):
        return
    lines = []
    if standard := next((c for c in a.accuracy if c.cutoff == a.cutoff), None):
        most = max([len(s.indices) for s in a.selections] + [SELECTION_COLUMNS])
        near = standard.n_columns <= most
        x, y, spread = standard.n_columns[near], standard.mean[near], standard.std[near]
        lines.append(Line(name="standard order", x=x, y=y, spread=spread, markers=True))
    for k, s in enumerate(a.selections, start=1):
        among = scope_name(s.scope).removesuffix(" columns")
        x = np.arange(1, len(s.indices) + 1)
        n_written = 3 if k == 1 else 0
        lines.append(
            Line(name=f"SFS, {among}", x=x, y=s.mean, spread=s.std, k=k, markers=True,
                 notes=s.names, n_written=n_written)
        )  # fmt: skip
    if a.pca is not None:
        k, p = len(a.selections) + 1, a.pca
        lines.append(
            Line(name="principal components", x=p.n_columns, y=p.mean, spread=p.std, k=k,
                 markers=True)
        )  # fmt: skip
    panel = Panel(
        name="figure-5-selection",
        x=Axis(label=f"{NUMBER_OF_COLUMNS} (or components)"),
        y=Axis(label=ACCURACY),
        lines=tuple(lines),
        numbers=analysis_numbers(a, "selection" if a.selections else "pca"),
    )
    yield captioned(panel, {"cutoff": a.cutoff, "bands": bands()})


@shows("figure-5")
def stability(content: ReportContent) -> Iterator[Panel]:
    """How often resampled selections pick a column."""
    for k, s in enumerate(content.analysis.stability if content.analysis else (), start=1):
        assert content.analysis is not None
        names, most = s.names[:12], slice(12)
        among = f"among the first {s.n_steps}"
        panel = Panel(
            name=f"figure-5-stability-{k}",
            x=Axis(label="share of bootstrap runs that pick the column", low=0.0),
            y=Axis(label=""),
            bars=(
                Bars(name=among, labels=names, values=s.frequency[most], k=(0,) * len(names)),
                Bars(name="first", labels=names, values=s.first[most], k=(1,) * len(names)),
            ),
            wide=False,
            numbers=analysis_numbers(content.analysis, "stability", {"scope": s.scope}),
        )
        values = {"scope": scope_name(s.scope), "n_runs": len(s.bootstrap), "n_steps": s.n_steps}
        yield captioned(panel, values, "figure-5-stability")


@shows("figure-6")
def learning(content: ReportContent) -> Iterator[Panel]:
    """Accuracy on training and on test rows against the training data (Fig. 6)."""
    a = content.analysis
    for vary in ("samples", "sites"):
        curves = [c for c in a.learning if c.vary == vary] if a else []
        if a is None or not curves:
            continue
        lines = []
        for k, c in enumerate(curves):
            name, spread = f"{c.n_columns} columns", c.test.std(axis=1, ddof=1)
            mean, train = c.test.mean(axis=1), c.train.mean(axis=1)
            lines += [
                Line(name=f"{name}, test", x=c.n_sites, y=mean, spread=spread, k=k, markers=True),
                Line(name=f"{name}, training", x=c.n_sites, y=train, k=k, dash="dashed"),
            ]
        panel = Panel(
            name=f"figure-6-learning-{vary}",
            x=Axis(label="sites trained on", log=True, ticks=_ticks([c.n_sites for c in curves])),
            y=Axis(label="accuracy"),
            lines=tuple(lines),
            wide=False,
            numbers=analysis_numbers(a, "learning", {"vary": vary}),
        )
        yield captioned(panel, {"cutoff": curves[0].cutoff or a.cutoff, "bands": bands()})


def _ticks(values: list[np.ndarray]) -> tuple[float, ...]:
    """Round numbers at which a short logarithmic axis has ticks."""
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    marks = [float(m * 10**e) for e in range(7) for m in (1, 2, 5)]
    return tuple(m for m in marks if 0.9 * low <= m <= 1.1 * high)


@shows("figure-7")
def ard(content: ReportContent) -> Iterator[Panel]:
    """Pearson correlation of ARD regression against the number of columns (Fig. 7)."""
    a = content.analysis
    for log in (False, True):
        curves = [c for c in a.ard if c.log_target == log] if a else []
        if a is None or not curves:
            continue
        hollow = ""
        if any(c.n_undefined.any() for c in curves):
            hollow = (
                " Open markers: the prediction is constant in some fold, which has no "
                "correlation; the mean is that of the others."
            )
        target = short_target(curves[0].target, log)
        panel = Panel(
            name="figure-7-ard" + ("-log" if log else ""),
            x=columns_axis(a.columns),
            y=Axis(label=f"{PEARSON} ({target})"),
            lines=tuple(
                Line(
                    name="" if c.cutoff is None else f"{c.cutoff:g} σ",
                    x=c.n_columns,
                    y=c.mean,
                    spread=c.std,
                    k=k,
                    markers=True,
                    hollow=c.n_undefined > 0,
                    notes=tuple(
                        f"{n} of {c.pearson.shape[1]} folds undefined" if n else ""
                        for n in c.n_undefined
                    ),
                )
                for k, c in enumerate(sorted(curves, key=lambda c: c.cutoff or 0.0))
            ),
            rules=column_rules(a.columns, content.species or a.species),
            legend=CUTOFF,
            corner="upper left",
            wide=False,
            numbers=analysis_numbers(a, "ard", {"log_target": log}),
        )
        words = {"target": target_name(curves[0].target, log), "bands": bands(), "hollow": hollow}
        yield captioned(panel, words, "figure-7-ard")


@shows("probabilities")
def calibration(content: ReportContent) -> Iterator[Panel]:
    """Share of active sites against the predicted probability."""
    a = content.analysis
    scores = [(s.n_columns, s.calibration) for s in a.classifiers if s.calibration] if a else []
    if a is None or not scores:
        return
    panel = Panel(
        name="calibration",
        x=Axis(label="predicted probability of being active", low=0.0, high=1.0),
        y=Axis(label="observed share of active", low=0.0, high=1.0),
        lines=(
            DIAGONAL,
            *(
                Line(
                    name=f"{n} columns",
                    x=c.predicted,
                    y=c.observed,
                    k=k,
                    markers=True,
                    notes=tuple(f"{count} sites" for count in c.count),
                )
                for k, (n, c) in enumerate(scores)
            ),
        ),
        corner="upper left",
        equal=True,
        wide=False,
        numbers=analysis_numbers(a, "calibration"),
    )
    brier = ", ".join(f"{c.brier:.3f} with {n} columns" for n, c in scores)
    yield captioned(panel, {"brier": brier})


@shows("probabilities")
def roc(content: ReportContent) -> Iterator[Panel]:
    """Share of active sites found against the share of inactive ones taken for active."""
    a = content.analysis
    scores = [(s, s.roc) for s in a.classifiers if s.roc is not None] if a else []
    if a is None or not scores:
        return
    panel = Panel(
        name="roc",
        x=Axis(label="inactive taken for active", low=0.0, high=1.0),
        y=Axis(label="active found", low=0.0, high=1.0),
        lines=(
            DIAGONAL,
            *(
                Line(
                    name=f"{CLASSIFIERS[s.classifier]}, {s.n_columns} columns",
                    x=curve.false_positive,
                    y=curve.true_positive,
                    k=k,
                    dash="solid" if s.classifier == "logistic" else "dashed",
                )
                for k, (s, curve) in enumerate(scores)
            ),
        ),
        corner="lower right",
        equal=True,
        wide=False,
        numbers=analysis_numbers(a, "roc"),
    )
    areas = ", ".join(
        f"{s.roc_auc.mean():.3f} ({CLASSIFIERS[s.classifier]}, {s.n_columns} columns)"
        for s, _ in scores
    )
    yield captioned(panel, {"areas": areas})
