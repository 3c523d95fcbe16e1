"""What an analysis found: figures 3 to 7, the calibration and the ROC curve."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from amorphace.learn.bundle import Analysis
from amorphace.learn.results import Curve
from amorphace.report.content import ReportContent
from amorphace.report.numbers import Numbers, numbers
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
    curves = a.curves("accuracy", "grouped") if a else ()
    if a is None or not curves:
        return
    curves = sorted(curves, key=lambda c: c.cutoff or 0.0)
    panel = Panel(
        name="figure-3-accuracy",
        x=columns_axis(a.columns),
        y=Axis(label=ACCURACY),
        lines=tuple(
            Line(
                name="" if c.cutoff is None else f"{c.cutoff:g} σ",
                x=c.x,
                y=c.mean,
                spread=c.std,
                k=k,
                markers=True,
                notes=c.labels,
            )
            for k, c in enumerate(curves)
        ),
        rules=(CHANCE, *column_rules(a.columns, content.species or a.species)),
        legend=CUTOFF,
        corner="upper left",
        numbers=numbers(a.curves("accuracy")),
    )
    yield captioned(panel, {"bands": bands(curves[0].values.shape[1])})


@shows("figure-4")
def distributions(content: ReportContent) -> Iterator[Panel]:
    """A column for active and inactive sites, both protocols in one panel (Fig. 4)."""
    a = content.analysis
    for k, d in enumerate(a.curves("distributions") if a else (), start=1):
        assert a is not None
        protocols = {content.protocol or "this set": a}
        if content.companion is not None:
            protocols[content.companion_protocol or "the other protocol"] = content.companion
        both = {
            name: x for name, one in protocols.items()
            for x in one.curves("distributions", d.variant)
        }  # fmt: skip
        several = len(both) > 1
        dashes: tuple[Dash, ...] = ("solid", "dashed")
        panel = Panel(
            name=f"figure-4-distribution-{k}",
            x=Axis(label=f"column {d.variant}"),
            y=Axis(label=DENSITY, low=0.0),
            lines=tuple(
                Line(
                    name=f"{kind}, {protocol}" if several else kind,
                    x=np.repeat(np.append(x.x, x["to"][-1]), 2)[1:-1],
                    y=np.repeat(x[kind][:, 0], 2),
                    paint=paint,
                    dash=dash,
                    filled=dash == "solid",
                )
                for (protocol, x), dash in zip(both.items(), dashes, strict=False)
                for kind, paint in (("active", ACTIVE_COLOUR), ("inactive", INACTIVE_COLOUR))
            ),
            corner="" if several else "upper right",
            wide=False,
            numbers=_by_protocol(both),
        )
        dashed = " Solid: {}; dashed: {}.".format(*both) if several else ""
        words = {"column": d.variant, "dashed": dashed, **threshold(a, d.variant)}
        yield captioned(panel, words, "figure-4-distribution")


def threshold(a: Analysis, column: str) -> dict[str, float]:
    """What is known of the best threshold of a column."""
    return {
        name: values[c.labels.index(column), 0]
        for c in a.curves("thresholds")
        if column in c.labels
        for name, values in c.scores.items()
    }


def _by_protocol(curves: dict[str, Curve]) -> Numbers:
    """Distributions of one column, of several protocols."""
    parts = {protocol: numbers([curve]) for protocol, curve in curves.items()}
    first = next(iter(parts.values()))
    return Numbers(
        columns=("protocol", *first.columns),
        rows=tuple((protocol, *row) for protocol, part in parts.items() for row in part.rows),
    )


@shows("figure-5")
def selection(content: ReportContent) -> Iterator[Panel]:
    """Forward selection, the standard order and principal components (Fig. 5)."""
    a = content.analysis
    selections, pca = (a.curves("selection"), a.curve("pca")) if a else ((), None)
    if a is None or not (selections or pca is not None):
        return
    lines = []
    if standard := a.curve("accuracy", "grouped"):
        most = max([len(s.x) for s in selections] + [SELECTION_COLUMNS])
        near = standard.x <= most
        x, y, spread = standard.x[near], standard.mean[near], standard.std[near]
        lines.append(Line(name="standard order", x=x, y=y, spread=spread, markers=True))
    for k, s in enumerate(selections, start=1):
        among = scope_name(s.variant).removesuffix(" columns")
        n_written = 3 if k == 1 else 0
        lines.append(
            Line(name=f"SFS, {among}", x=s.x, y=s.mean, spread=s.std, k=k, markers=True,
                 notes=s.labels, n_written=n_written)
        )  # fmt: skip
    if pca is not None:
        k = len(selections) + 1
        lines.append(
            Line(name="principal components", x=pca.x, y=pca.mean, spread=pca.std, k=k,
                 markers=True)
        )  # fmt: skip
    panel = Panel(
        name="figure-5-selection",
        x=Axis(label=f"{NUMBER_OF_COLUMNS} (or components)"),
        y=Axis(label=ACCURACY),
        lines=tuple(lines),
        numbers=numbers(selections or a.curves("pca")),
    )
    yield captioned(panel, {"cutoff": a.cutoff, "bands": bands()})


@shows("figure-5")
def stability(content: ReportContent) -> Iterator[Panel]:
    """How often resampled selections pick a column."""
    for k, s in enumerate(content.analysis.curves("stability") if content.analysis else (), 1):
        names, most = s.labels[:12], s.values[:12]
        n_steps = int(np.nanmax(s.values))
        among, in_all = f"among the first {n_steps}", np.isfinite(most).mean(axis=1)
        panel = Panel(
            name=f"figure-5-stability-{k}",
            x=Axis(label="share of bootstrap runs that pick the column", low=0.0),
            y=Axis(label=""),
            bars=(
                Bars(name=among, labels=names, values=in_all, k=(0,) * len(names)),
                Bars(name="first", labels=names, values=(most == 1).mean(axis=1),
                     k=(1,) * len(names)),
            ),
            wide=False,
            numbers=numbers([s]),
        )  # fmt: skip
        n_runs = s.values.shape[1]
        values = {"scope": scope_name(s.variant), "n_runs": n_runs, "n_steps": n_steps}
        yield captioned(panel, values, "figure-5-stability")


@shows("figure-6")
def learning(content: ReportContent) -> Iterator[Panel]:
    """Accuracy on training and on test rows against the training data (Fig. 6)."""
    a = content.analysis
    for vary in ("samples", "sites"):
        curves = a.curves("learning", vary) if a else ()
        if a is None or not curves:
            continue
        lines = []
        for k, c in enumerate(curves):
            name, train = f"{c.n_columns} columns", c["train"].mean(axis=1)
            lines += [
                Line(name=f"{name}, test", x=c.x, y=c.mean, spread=c.std, k=k, markers=True),
                Line(name=f"{name}, training", x=c.x, y=train, k=k, dash="dashed"),
            ]
        panel = Panel(
            name=f"figure-6-learning-{vary}",
            x=Axis(label="sites trained on", log=True, ticks=_ticks([c.x for c in curves])),
            y=Axis(label="accuracy"),
            lines=tuple(lines),
            wide=False,
            numbers=numbers(curves),
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
    for variant in dict.fromkeys(c.variant for c in (a.curves("ard") if a else ())):
        assert a is not None
        curves = a.curves("ard", variant)
        log, name = variant.startswith("log "), variant.removeprefix("log ")
        hollow = ""
        if any(c.n_undefined.any() for c in curves):
            hollow = (
                " Open markers: the prediction is constant in some fold, which has no "
                "correlation; the mean is that of the others."
            )
        target = short_target(name, log)
        panel = Panel(
            name="figure-7-ard" + ("-log" if log else ""),
            x=columns_axis(a.columns),
            y=Axis(label=f"{PEARSON} ({target})"),
            lines=tuple(
                Line(
                    name="" if c.cutoff is None else f"{c.cutoff:g} σ",
                    x=c.x,
                    y=c.mean,
                    spread=c.std,
                    k=k,
                    markers=True,
                    hollow=c.n_undefined > 0,
                    notes=tuple(
                        f"{n} of {c.values.shape[1]} folds undefined" if n else ""
                        for n in c.n_undefined
                    ),
                )
                for k, c in enumerate(sorted(curves, key=lambda c: c.cutoff or 0.0))
            ),
            rules=column_rules(a.columns, content.species or a.species),
            legend=CUTOFF,
            corner="upper left",
            wide=False,
            numbers=numbers(curves),
        )
        words = {"target": target_name(name, log), "bands": bands(), "hollow": hollow}
        yield captioned(panel, words, "figure-7-ard")


@shows("probabilities")
def calibration(content: ReportContent) -> Iterator[Panel]:
    """Share of active sites against the predicted probability."""
    a = content.analysis
    curves = a.curves("calibration") if a else ()
    if not curves:
        return
    panel = Panel(
        name="calibration",
        x=Axis(label="predicted probability of being active", low=0.0, high=1.0),
        y=Axis(label="observed share of active", low=0.0, high=1.0),
        lines=(
            DIAGONAL,
            *(
                Line(
                    name=f"{c.n_columns} columns",
                    x=c["predicted"][:, 0],
                    y=c.mean,
                    k=k,
                    markers=True,
                    notes=tuple(f"{count:.0f} sites" for count in c["count"][:, 0]),
                )
                for k, c in enumerate(curves)
            ),
        ),
        corner="upper left",
        equal=True,
        wide=False,
        numbers=numbers(curves),
    )
    brier = ", ".join(f"{c['brier'][0, 0]:.3f} with {c.n_columns} columns" for c in curves)
    yield captioned(panel, {"brier": brier})


@shows("probabilities")
def roc(content: ReportContent) -> Iterator[Panel]:
    """Share of active sites found against the share of inactive ones taken for active."""
    a = content.analysis
    curves = a.curves("roc") if a else ()
    if a is None or not curves:
        return
    panel = Panel(
        name="roc",
        x=Axis(label="inactive taken for active", low=0.0, high=1.0),
        y=Axis(label="active found", low=0.0, high=1.0),
        lines=(
            DIAGONAL,
            *(
                Line(
                    name=f"{CLASSIFIERS[c.variant]}, {c.n_columns} columns",
                    x=c.x,
                    y=c.mean,
                    k=k,
                    dash="solid" if c.variant == "logistic" else "dashed",
                )
                for k, c in enumerate(curves)
            ),
        ),
        corner="lower right",
        equal=True,
        wide=False,
        numbers=numbers(curves),
    )
    areas = ", ".join(
        f"{c['roc_auc'][p].mean():.3f} ({CLASSIFIERS[c.variant]}, {n} columns)"
        for c in a.curves("classifiers")
        for p, n in enumerate(c.x)
    )
    yield captioned(panel, {"areas": areas})
