"""Sections of the page: which plots, in which order, with which captions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import plotly.graph_objects as go

from amorphace.learn.bundle import Analysis
from amorphace.learn.regression import CorrelationCurve
from amorphace.report import numbers, plots
from amorphace.report.content import ReportContent, Snapshot, vanishes
from amorphace.report.numbers import Numbers
from amorphace.report.verdict import percent
from amorphace.report.words import CLASSIFIERS, DISTANCE, scope_name, target_name


@dataclass(frozen=True, kw_only=True)
class Card:
    """A plot with its caption and the numbers behind it.

    Attributes
    ----------
    name : str
        Of the element and of the CSV file: letters, digits and hyphens.
    title, caption : str
    figure : plotly.graph_objects.Figure
    numbers : Numbers
    wide : bool
        Whether it takes the whole width of the page.
    """

    name: str
    title: str
    caption: str
    figure: go.Figure
    numbers: Numbers
    wide: bool = True


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page.

    Attributes
    ----------
    name, title : str
    cards : tuple of Card
    absent : tuple of str
        One sentence for each thing that is not shown, and why.
    """

    name: str
    title: str
    cards: tuple[Card, ...] = ()
    absent: tuple[str, ...] = field(default=())


def sections(content: ReportContent) -> tuple[Section, ...]:
    """Everything that is plotted, in the order of the page."""
    parts = (
        ("figure-1", "Figure 1. Radial basis", _radial),
        ("figure-2", "Figure 2. Who moves", _slices),
        ("figure-3", "Figure 3. Accuracy and the number of columns", _accuracy),
        ("figure-4", "Figure 4. First radial columns", _distributions),
        ("figure-5", "Figure 5. Which columns matter", _selection),
        ("figure-6", "Figure 6. Learning curves", _learning),
        ("figure-7", "Figure 7. Regression of D²min", _ard),
        ("calibration", "How far probabilities hold", _calibration),
        ("clusters", "What the model has learned", _clusters),
        ("propensity", "Propensity regression", _propensity),
        ("runs", "The runs", _runs),
    )
    found = []
    for name, title, make in parts:
        cards, absent = [], []
        for item in make(content):
            (absent if isinstance(item, str) else cards).append(item)
        found.append(Section(name=name, title=title, cards=tuple(cards), absent=tuple(absent)))
    return tuple(found)


def _spread(n_folds: int | None = None) -> str:
    folds = "the folds" if n_folds is None else f"{n_folds} folds"
    return f"Bands show one standard deviation between {folds}"


def _undefined(curves: list[CorrelationCurve]) -> str:
    """What open markers mean; '' where there are none."""
    if not any(c.n_undefined.any() for c in curves):
        return ""
    return (
        " Open markers: the prediction is constant in some fold, which has no correlation; the "
        "mean is that of the others."
    )


def _no_analysis(what: str) -> str:
    return f"{what} is not shown, because the content holds no analysis."


def _not_computed(what: str) -> str:
    return f"{what} is not shown, because this part of the analysis was not computed."


def _radial(content: ReportContent) -> Iterator[Card | str]:
    r = content.radial
    if r is None:
        yield "The radial basis is not shown, because no settings of a descriptor were given."
        return
    transform = content.settings.get("distance_transform")
    yield Card(
        name="figure-1-radial-basis",
        title="",
        caption=(
            f"The first {r.R.shape[1]} radial basis functions Rₙ(r) of the atomic cluster "
            f"expansion for cutoff {r.cutoff:g} σ"
            + (f", distance transform “{transform}”" if transform else "")
            + ". They are densest near r = 1 σ, where the nearest neighbours are."
        ),
        figure=plots.radial_plot(r),
        numbers=numbers.radial_numbers(r),
    )


def _slices(content: ReportContent) -> Iterator[Card | str]:
    shown = [s for s in content.snapshots if "d2min" in s.columns]
    if not shown:
        yield "Slices are not shown, because no configuration with D²min was given."
        return
    for k, s in enumerate(_one_a_protocol(shown), start=1):
        yield Card(
            name=f"figure-2-slice-{k}",
            title=s.protocol,
            caption=(
                f"{s.name}. {s.caption} Slice one diameter thick through the middle of the cell, "
                "particles of the majority species only, coloured by D²min; values above the 98th "
                "percentile have the last colour."
            ).strip(),
            figure=plots.slice_plot(s),
            numbers=numbers.slice_numbers(s),
            wide=False,
        )


def _one_a_protocol(snapshots: list[Snapshot]) -> list[Snapshot]:
    """The first of every protocol."""
    first: dict[str, Snapshot] = {}
    for s in snapshots:
        first.setdefault(s.protocol, s)
    return list(first.values())


def _accuracy(content: ReportContent) -> Iterator[Card | str]:
    a = content.analysis
    if a is None:
        yield _no_analysis("Accuracy")
        return
    if not a.accuracy:
        yield _not_computed("Accuracy")
        return
    yield Card(
        name="figure-3-accuracy",
        title="",
        caption=(
            "Cross-validated accuracy of logistic regression on the leading columns, in standard "
            f"order, for each cutoff. {_spread(a.accuracy[0].accuracy.shape[1])}, which keep every "
            "sample whole. Solid lines: a higher body order begins; dashed lines: the radial "
            "columns turn to the next species of neighbour."
        ),
        figure=plots.accuracy_plot(a.accuracy, a.columns, species=content.species or a.species),
        numbers=numbers.analysis_numbers(a, ["accuracy"]),
    )


def _distributions(content: ReportContent) -> Iterator[Card | str]:
    a = content.analysis
    if a is None:
        yield _no_analysis("The distribution of the first radial columns")
        return
    if not a.distributions:
        yield _not_computed("The distribution of the first radial columns")
        return
    protocol = content.protocol or "this set"
    analyses = {protocol: a}
    if content.companion:
        analyses[content.companion_protocol or "the other protocol"] = content.companion
    for k, d in enumerate(a.distributions, start=1):
        both = {
            name: x
            for name, one in analyses.items()
            for x in one.distributions
            if x.column == d.column
        }
        dashed = " Solid: {}; dashed: {}.".format(*both) if len(both) > 1 else ""
        yield Card(
            name=f"figure-4-distribution-{k}",
            title=f"Column {d.column}",
            caption=(
                f"Distribution of column {d.column} over {d.n_active} active and {d.n_inactive} "
                f"inactive particles.{dashed} The best threshold alone tells them apart in "
                f"{100 * d.accuracy:.1f} % of cases; the area under the ROC curve is {d.auc:.3f}."
            ),
            figure=plots.distribution_plot(both),
            numbers=numbers.protocol_numbers(analyses, d.column),
            wide=False,
        )


def _selection(content: ReportContent) -> Iterator[Card | str]:
    a = content.analysis
    if a is None:
        yield _no_analysis("Feature selection")
        return
    if not a.selections and a.pca is None:
        yield _not_computed("Feature selection")
        return
    standard = next((c for c in a.accuracy if c.cutoff == a.cutoff), None)
    yield Card(
        name="figure-5-selection",
        title="",
        caption=(
            f"Sequential forward selection (SFS), the standard order of columns, and principal "
            f"components, at cutoff {a.cutoff:g} σ. {_spread()}. Point at a marker to read which "
            "column SFS picked. SFS picks by these very folds, so its curve is a little optimistic."
        ),
        figure=plots.selection_plot(standard, a.selections, a.pca),
        numbers=numbers.analysis_numbers(a, ["selection" if a.selections else "pca"]),
    )
    for k, s in enumerate(a.stability, start=1):
        yield Card(
            name=f"figure-5-stability-{k}",
            title=f"Stability among {scope_name(s.scope)}",
            caption=(
                f"How often a column is picked when the samples are drawn again "
                f"({len(s.bootstrap)} bootstrap runs of {s.n_steps} picks). Columns are collinear: "
                "several that share the runs between them say the same thing."
            ),
            figure=plots.stability_plot(s),
            numbers=numbers.analysis_numbers(a, ["stability"], scope=s.scope),
            wide=False,
        )


def _learning(content: ReportContent) -> Iterator[Card | str]:
    a = content.analysis
    if a is None:
        yield _no_analysis("The learning curve")
        return
    if not a.learning:
        yield _not_computed("The learning curve")
        return
    ways = {
        "samples": ("By samples", "whole samples are added to the training data"),
        "sites": ("By sites", "sites of every training sample are added"),
    }
    for vary, (title, how) in ways.items():
        curves = [c for c in a.learning if c.vary == vary]
        if curves:
            yield Card(
                name=f"figure-6-learning-{vary}",
                title=title,
                caption=(
                    f"Accuracy on test rows (markers) and on training rows (dashed) as {how}, at "
                    f"cutoff {curves[0].cutoff or a.cutoff:g} σ. {_spread()}. Where the two meet, "
                    "more data of the same kind would not help."
                ),
                figure=plots.learning_plot(curves),
                numbers=numbers.analysis_numbers(a, ["learning"], vary=vary),
                wide=False,
            )


def _ard(content: ReportContent) -> Iterator[Card | str]:
    a = content.analysis
    if a is None:
        yield _no_analysis("ARD regression")
        return
    if not a.ard:
        yield _not_computed("ARD regression")
        return
    for log in (False, True):
        curves = [c for c in a.ard if c.log_target == log]
        if curves:
            target = target_name(curves[0].target, log)
            yield Card(
                name="figure-7-ard" + ("-log" if log else ""),
                title=f"Target: {target}",
                caption=(
                    f"Pearson correlation of {target} with its prediction by Bayesian regression "
                    "with automatic relevance determination, on the same sites as Figure 3 without "
                    f"making classes of them. {_spread()}.{_undefined(curves)}"
                ),
                figure=plots.correlation_plot(
                    curves, a.columns, species=content.species or a.species
                ),
                numbers=numbers.analysis_numbers(a, ["ard"], log_target=log),
                wide=False,
            )


def _calibration(content: ReportContent) -> Iterator[Card | str]:
    a = content.analysis
    scores = [s for s in a.classifiers if s.calibration is not None] if a else []
    if a is None or not scores:
        yield "Calibration is not shown, because no classifiers were compared."
        return
    brier = ", ".join(
        f"{s.calibration.brier:.3f} with {s.n_columns} columns" for s in scores if s.calibration
    )
    yield Card(
        name="calibration",
        title="",
        caption=(
            "Observed share of active particles against the predicted probability, on rows left "
            "out. On the dotted diagonal a stated probability is the observed one. Brier score: "
            f"{brier} (0 is perfect, 0.25 is no knowledge)."
        ),
        figure=plots.calibration_plot(scores),
        numbers=numbers.analysis_numbers(a, ["calibration"]),
        wide=False,
    )


def _clusters(content: ReportContent) -> Iterator[Card | str]:
    c = content.clusters
    if c is None:
        yield "Cluster functions are not shown, because no fitted model was read."
    else:
        band = f"Lines are means over {c.n_models} models fitted on folds, bands one deviation"
        yield Card(
            name="clusters-v1",
            title="Two-body function v₁(r)",
            caption=(
                "What one neighbour of each species at distance r adds to the log-odds of being "
                f"active; above zero it makes a rearrangement more likely. {band}."
            ),
            figure=plots.cluster_curves_plot(c.v1, label="v₁(r; z)"),
            numbers=numbers.curve_numbers(c.v1),
        )
        maps = c.v2_distance + c.v2_angle
        if maps and vanishes(maps):
            yield "v₂ is not shown, because the model uses no three-body columns: it is zero."
        if not vanishes(c.v2_distance):
            yield Card(
                name="clusters-v2-distances",
                title="Three-body function v₂(r₁, r₂)",
                caption=(
                    f"What a pair of neighbours at distances r₁ and r₂, seen under "
                    f"{c.angle:g} degrees, adds to the log-odds beyond their two-body parts. The "
                    "colours end at the 99th percentile: larger values stand where neighbours "
                    "would overlap."
                ),
                figure=plots.cluster_maps_plot(c.v2_distance, x_title="r₁ / σ", y_title="r₂ / σ"),
                numbers=numbers.map_numbers(c.v2_distance, "r2"),
            )
        if not vanishes(c.v2_angle):
            yield Card(
                name="clusters-v2-angle",
                title="Three-body function v₂(r, r, angle)",
                caption=(
                    "The same for two neighbours at the same distance r, against the angle "
                    "between them."
                ),
                figure=plots.cluster_maps_plot(
                    c.v2_angle, x_title=DISTANCE, y_title="angle / degrees"
                ),
                numbers=numbers.map_numbers(c.v2_angle, "angle"),
            )
        if c.v3 and vanishes(c.v3):
            yield "v₃ is not shown, because the model uses no four-body columns: it is zero."
        elif c.v3:
            yield Card(
                name="clusters-v3",
                title="Four-body function v₃(r, r, r)",
                caption=(
                    f"Three neighbours at the same distance r, every two under "
                    f"{c.triple_angle:g} degrees. {band}."
                ),
                figure=plots.cluster_curves_plot(c.v3, label="v₃(r, r, r)"),
                numbers=numbers.curve_numbers(c.v3),
            )
    if content.contributions is not None:
        yield Card(
            name="contributions",
            title="What each part contributes",
            caption=(
                "Share of the variance of the log-odds over the described particles that each "
                "body order, and each set of neighbours, brings; shares of all orders add up to 1 "
                "and may be negative where parts cancel. Bars: deviation between folds."
            ),
            figure=plots.contributions_plot(content.contributions),
            numbers=numbers.contribution_numbers(content.contributions),
        )


def _propensity(content: ReportContent) -> Iterator[Card | str]:
    curves = content.propensity_curves
    if not curves:
        yield "The learning curve of propensity is not shown, because it was not computed."
        return
    yield Card(
        name="propensity-curve",
        title="",
        caption=(
            "Pearson correlation of the prediction with the measured quantity over all particles "
            "of samples never seen, against the number of training samples. Bands show one "
            "standard deviation between test samples."
        ),
        figure=plots.propensity_plot(curves),
        numbers=numbers.propensity_curve_numbers(curves),
    )


def _runs(content: ReportContent) -> Iterator[Card | str]:
    if not (content.stress_strain or content.relaxation):
        yield (
            "Curves of the simulations are not shown, because none were given with these results."
        )
    if content.stress_strain:
        yield Card(
            name="stress-strain",
            title="Stress and strain",
            caption=(
                "Shear stress of each sample along athermal quasistatic shear; triangles mark the "
                "events in which particles rearranged."
            ),
            figure=plots.stress_strain_plot(content.stress_strain),
            numbers=numbers.stress_strain_numbers(content.stress_strain),
        )
    if content.relaxation:
        q = content.relaxation[0].wavenumber
        yield Card(
            name="relaxation",
            title="Relaxation",
            caption=(
                "Self-intermediate scattering function"
                + (f" at q = {q:g} / σ" if q is not None else "")
                + "; it falls to 1/e (dotted) at the relaxation time."
            ),
            figure=plots.relaxation_plot(content.relaxation),
            numbers=numbers.relaxation_numbers(content.relaxation),
        )


def classifier_rows(analysis: Analysis | None) -> tuple[tuple[str, ...], ...]:
    """Lines of the table of classifiers: name, columns, accuracy, balanced accuracy, ROC-AUC."""
    if analysis is None:
        return ()
    return tuple(
        (
            CLASSIFIERS[s.classifier],
            str(s.n_columns),
            percent(s.accuracy),
            percent(s.balanced_accuracy),
            f"{s.roc_auc.mean():.3f} ± {s.roc_auc.std(ddof=1):.3f}",
        )
        for s in analysis.classifiers
    )
