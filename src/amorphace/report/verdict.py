"""What was found, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.bundle import Analysis
from amorphace.learn.points import order_ends
from amorphace.learn.results import Curve
from amorphace.learn.selection import twins
from amorphace.report.content import ReportContent
from amorphace.report.words import CLASSIFIERS, scope_name, target_name

SIGNIFICANT = 0.02
"""A difference of accuracies below this is called small."""


def verdict(content: ReportContent) -> tuple[str, ...]:
    """Sentences with the key numbers; () without an analysis."""
    a = content.analysis
    if a is None:
        return ()
    return tuple(
        sentence
        for part in (_accuracy, _radial, _selection, _classifiers, _random_folds, _correlation)
        for sentence in part(a)
    )


def percent(values: NDArray[np.float64]) -> str:
    """Such as 91.2 ± 0.4 %: mean and standard deviation over folds."""
    spread = f"\u00a0±\u00a0{100 * np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{100 * np.mean(values):.1f}{spread}\u00a0%"  # spaces that do not break


def headline(analysis: Analysis | None) -> tuple[str, str] | None:
    """The accuracy on top of the page, and what it is."""
    curve = curve_of(analysis) if analysis else None
    if curve is None:
        return None
    p = int(np.argmax(curve.mean))
    return (
        percent(curve.values[p]),
        f"accuracy on samples never seen, {curve.x[p]} columns, "
        f"{curve.values.shape[1]} folds; 50 % is chance",
    )


def curve_of(a: Analysis, cutoff: float | None = None) -> Curve | None:
    """The accuracy curve of one cutoff."""
    return a.curve("accuracy", "grouped", cutoff)


def best_beyond(curve: Curve, n_columns: int) -> int | None:
    """The point of the highest mean accuracy among those with more columns; None without one."""
    more = np.flatnonzero(curve.x > n_columns)
    return int(more[np.argmax(curve.mean[more])]) if len(more) else None


def _accuracy(a: Analysis) -> Iterator[str]:
    curve = curve_of(a)
    if curve is None:
        return
    p = int(np.argmax(curve.mean))
    yield (
        f"From structure alone, a linear classifier tells active from inactive particles in "
        f"{percent(curve.values[p])} of cases (chance: 50 %), with {curve.x[p]} columns "
        f"at cutoff {a.cutoff:g} σ, judged on whole samples it has not seen."
    )


def _radial(a: Analysis) -> Iterator[str]:
    curve, ends = curve_of(a), order_ends(a.columns)
    radial = None if curve is None or 1 not in ends else curve.at(ends[1])
    if curve is None or radial is None:
        return
    best = best_beyond(curve, ends[1])
    added = ""
    if best is not None:
        gain = curve.mean[best] - radial.mean()
        judged = "a clear gain"
        if gain < SIGNIFICANT:
            judged = "which is little"
        elif gain < np.std(radial, ddof=1):
            judged = "which is within the spread between folds"
        size = "nothing" if gain <= 0 else f"at most {100 * gain:.1f} points, {judged}"
        added = f"; columns of higher body order add {size}"
    yield f"The {ends[1]} two-body columns alone reach {percent(radial)}{added}."


def _selection(a: Analysis) -> Iterator[str]:
    for s in a.curves("selection"):
        alone = a.curve("single_columns", s.variant)
        if alone is None:
            continue
        others = [name for name in twins(alone) if name != s.labels[0]]
        close = f" ({', '.join(others[:3])} alone would do as well)" if others else ""
        yield (
            f"Among {scope_name(s.variant)}, forward selection first picks "
            f"{' and then '.join(s.labels[:2])}{close}; the first alone reaches "
            f"{percent(s.values[0])}."
        )


def _classifiers(a: Analysis) -> Iterator[str]:
    by_size: dict[int, list[float]] = {}
    for c in a.curves("classifiers"):
        for n, mean in zip(c.x.tolist(), c.mean, strict=True):
            by_size.setdefault(n, []).append(float(mean))
    if by_size:
        apart = max(max(means) - min(means) for means in by_size.values())
        names = " and a ".join(CLASSIFIERS.values())
        yield f"A {names} differ by at most {100 * apart:.1f} points."


def _random_folds(a: Analysis) -> Iterator[str]:
    grouped = curve_of(a)
    mixed = a.curve("accuracy", "random")
    if grouped is None or mixed is None:
        return
    shared = np.intersect1d(grouped.x, mixed.x)
    if not len(shared):
        return
    n = int(shared[-1])
    whole, random = grouped.at(n), mixed.at(n)
    if whole is None or random is None:
        return
    yield (
        f"Folds that mix the sites of all samples would say {percent(random)} instead of "
        f"{percent(whole)} at {n} columns."
    )


def _correlation(a: Analysis) -> Iterator[str]:
    for c in a.curves("ard"):
        if c.cutoff != a.cutoff or np.isnan(c.mean).all():
            continue
        p = int(np.nanargmax(c.mean))
        yield (
            f"Bayesian ARD regression of {target_of(c)} reaches a Pearson correlation of "
            f"{correlation(c, p)} with {c.x[p]} columns."
        )


def target_of(c: Curve) -> str:
    """What a curve of correlations predicts, in words."""
    return target_name(c.variant.removeprefix("log "), c.variant.startswith("log "))


def correlation(c: Curve, point: int) -> str:
    """Such as 0.82 ± 0.03, or 0.82 ± 0.03 (3 of 4 folds) where some have no correlation."""
    n_folds, n_undefined = c.values.shape[1], int(c.n_undefined[point])
    known = f" ({n_folds - n_undefined} of {n_folds} folds)" if n_undefined else ""
    spread = "" if np.isnan(c.std[point]) else f"\u00a0±\u00a0{c.std[point]:.2f}"
    return f"{c.mean[point]:.2f}{spread}{known}"


def classifier_rows(analysis: Analysis | None) -> tuple[tuple[str, ...], ...]:
    """Lines of the table of classifiers: name, columns, accuracy, balanced accuracy, ROC-AUC."""
    curves = analysis.curves("classifiers") if analysis else ()
    return tuple(
        (
            CLASSIFIERS[c.variant],
            str(c.x[p]),
            percent(c["accuracy"][p]),
            percent(c["balanced_accuracy"][p]),
            f"{c['roc_auc'][p].mean():.3f} ± {c['roc_auc'][p].std(ddof=1):.3f}",
        )
        for n in dict.fromkeys(n for c in curves for n in c.x.tolist())
        for c in curves
        for p in np.flatnonzero(c.x == n)
    )
