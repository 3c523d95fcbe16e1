"""The paper's statements beside what is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.bundle import Analysis
from amorphace.learn.points import order_ends
from amorphace.learn.results import Curve
from amorphace.report.content import ReportContent
from amorphace.report.paper import PaperValue, paper_values
from amorphace.report.verdict import (
    best_beyond,
    correlation,
    curve_of,
    percent,
)

NOT_STATED = "not measured here"
PCA_COLUMNS = (5, 10, 20)
"""Numbers of columns at which principal components and the standard order are compared."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The paper's value and ours.

    Attributes
    ----------
    quantity : str
        In words.
    paper, ours : str
    place : str
        Where the paper says so.
    mean, spread : float or None
        Ours as numbers, the spread being the standard deviation between folds (between samples
        for the correlation of D2min with propensity); None where ours is no number.
    cutoff : float or None
        At which ours is read, in units of sigma.
    """

    quantity: str
    paper: str
    ours: str
    place: str
    mean: float | None = None
    spread: float | None = None
    cutoff: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What a reading gives: text, numbers, the cutoff if it is not the one asked for."""

    text: str
    values: NDArray[np.float64] | None = None
    cutoff: float | None = None


def comparisons(content: ReportContent) -> tuple[Comparison, ...]:
    """One line for everything the paper states on this case; () where it treats another."""
    return tuple(
        _compare(content, value) for value in paper_values(content.model, content.protocol)
    )


def _compare(content: ReportContent, value: PaperValue) -> Comparison:
    if value.reading == "correlation":
        found = _propensity_correlation(content)
    elif content.analysis is None:
        found = None
    else:
        found = READINGS[value.reading](content.analysis, value.cutoff)
    where = found.cutoff if found else None
    aside = "" if where in (None, value.cutoff) else f" at cutoff {where:g} σ"
    numbers = found.values if found else None
    return Comparison(
        quantity=value.quantity,
        paper=value.value,
        ours=found.text + aside if found else NOT_STATED,
        place=value.place,
        mean=None if numbers is None else float(np.mean(numbers)),
        spread=None if numbers is None or len(numbers) < 2 else float(np.std(numbers, ddof=1)),
        cutoff=where,
    )


def _near(a: Analysis, cutoff: float) -> Curve | None:
    """The accuracy curve of a cutoff, of the analysis' own where there is none."""
    return curve_of(a, cutoff) or curve_of(a)


def _with_columns(a: Analysis, cutoff: float, n_columns: int | None) -> _Found | None:
    """Accuracy with so many columns in standard order."""
    curve = _near(a, cutoff)
    scores = None if curve is None or n_columns is None else curve.at(n_columns)
    if curve is None or scores is None:
        return None
    return _Found(text=percent(scores), values=scores, cutoff=curve.cutoff)


def _first_species(a: Analysis) -> int | None:
    """Radial columns of the first species of neighbour; None where there is one species."""
    starts = a.columns.species_starts()
    return starts[1] if len(starts) > 1 else None


def _jump(a: Analysis, cutoff: float) -> _Found | None:
    before = _first_species(a)
    return None if before is None else _with_columns(a, cutoff, before + 1)


def _beyond_radial(a: Analysis, cutoff: float) -> _Found | None:
    """How much the best point of higher body orders is above that with all radial columns."""
    curve, n = _near(a, cutoff), order_ends(a.columns).get(1)
    if curve is None or n is None:
        return None
    radial, best = curve.at(n), best_beyond(curve, n)
    if radial is None or best is None:
        return None
    gain = curve.values[best] - radial
    text = f"{_points(gain)} with {curve.x[best]} columns"
    return _Found(text=text, values=gain, cutoff=curve.cutoff)


def _points(gain: NDArray[np.float64]) -> str:
    """A difference of accuracies in points, such as +1.2 ± 0.8 points."""
    spread = f"\u00a0±\u00a0{100 * np.std(gain, ddof=1):.1f}" if len(gain) > 1 else ""
    return f"{100 * np.mean(gain):+.1f}{spread}\u00a0points"


def saturation(a: Analysis) -> float | None:
    """The smallest cutoff that no larger one beats by more than the error of the difference.

    Each cutoff counts with its best point; differences are taken fold by fold, and their error is
    that of their mean. None with fewer than two cutoffs.
    """
    curves = sorted(a.curves("accuracy", "grouped"), key=lambda c: c.cutoff or 0)
    if len(curves) < 2:
        return None
    best = [c.values[int(np.argmax(c.mean))] for c in curves]
    for k, curve in enumerate(curves):
        gains = [larger - best[k] for larger in best[k + 1 :]]
        if all(g.mean() <= g.std(ddof=1) / np.sqrt(len(g)) for g in gains):
            return curve.cutoff
    return None


def _saturation(a: Analysis, cutoff: float) -> _Found | None:
    found = saturation(a)
    if found is None:
        return None
    best = ", ".join(
        f"{c.cutoff:g}: {100 * c.mean.max():.1f}" for c in a.curves("accuracy", "grouped")
    )
    return _Found(text=f"{found:g} (best at {best}\u00a0%)", values=np.array([found]))


def _picks(a: Analysis, cutoff: float) -> _Found | None:
    """Names of the first two picks, of the selection with the fewest candidates."""
    s = next(iter(a.curves("selection")), None)
    return None if s is None else _Found(text=", ".join(s.labels[:2]), cutoff=s.cutoff)


def _pca(a: Analysis, cutoff: float) -> _Found | None:
    """What principal components score more than as many columns in standard order."""
    curve, pca, gains = curve_of(a), a.curve("pca"), {}
    for n in PCA_COLUMNS:
        columns = None if curve is None else curve.at(n)
        components = None if pca is None else pca.at(n)
        if columns is not None and components is not None:
            gains[n] = components - columns
    if not gains:
        return None
    text = ", ".join(f"{_points(gain)} with {n}" for n, gain in gains.items())
    return _Found(text=text, values=list(gains.values())[-1], cutoff=a.cutoff)


def _means(a: Analysis, cutoff: float) -> _Found | None:
    """Which sites have the larger magnitude of the first column on average, and how apart."""
    d = next(iter(a.curves("thresholds")), None)
    if d is None:
        return None
    active, inactive, auc = (d[n][0, 0] for n in ("mean_active", "mean_inactive", "auc"))
    larger = "active" if abs(active) > abs(inactive) else "inactive"
    text = f"{d.labels[0]}: {active:.2f}, {inactive:.2f}; {larger} larger, AUC {auc:.2f}"
    return _Found(text=text, cutoff=d.cutoff)


def _learning(a: Analysis, cutoff: float) -> _Found | None:
    """Radial columns: what all training samples give more than the half, or just above it."""
    c = next((c for c in a.curves("learning", "samples") if len(c.x) > 1), None)
    if c is None:
        return None
    n_samples = np.array(c.labels, dtype=int)
    half = int(np.searchsorted(n_samples, n_samples[-1] / 2))  # of three samples, two
    gain = c.values[-1] - c.values[half]
    text = f"{_points(gain)} ({n_samples[-1]} beside {n_samples[half]} samples)"
    return _Found(text=text, values=gain, cutoff=c.cutoff)


def _ard(a: Analysis, cutoff: float) -> _Found | None:
    """The highest point of the curve of D2min itself, else of its logarithm."""
    both = a.curves("ard")
    curves = [c for c in both if c.cutoff == cutoff] or [c for c in both if c.cutoff == a.cutoff]
    curves = [c for c in curves if not np.isnan(c.mean).all()]
    if not curves:
        return None
    c = min(curves, key=lambda c: c.variant.startswith("log "))
    p = int(np.nanargmax(c.mean))
    text = f"{correlation(c, p)} with {c.x[p]} columns"
    known = c.values[p][np.isfinite(c.values[p])]
    return _Found(text=text, values=known, cutoff=c.cutoff)


def _propensity_correlation(content: ReportContent) -> _Found | None:
    """Over the samples, as measured; else of the configurations that hold both columns."""
    found = list(content.correlations)
    for s in content.snapshots if not found else ():
        if {"d2min", "propensity"} <= set(s.columns):
            pair = np.array([s.columns["d2min"], s.columns["propensity"]])
            known = pair[:, np.isfinite(pair).all(axis=0)]
            if known.shape[1] > 2:
                found.append(float(np.asarray(np.corrcoef(known))[0, 1]))
    values = np.array(found)
    return _Found(text=percent(values), values=values) if found else None


READINGS: Mapping[str, Callable[[Analysis, float], _Found | None]] = {
    "first": lambda a, cutoff: _with_columns(a, cutoff, 1),
    "first species": lambda a, cutoff: _with_columns(a, cutoff, _first_species(a)),
    "jump": _jump,
    "radial": lambda a, cutoff: _with_columns(a, cutoff, order_ends(a.columns).get(1)),
    "three-body": lambda a, cutoff: _with_columns(a, cutoff, order_ends(a.columns).get(2)),
    "four-body": lambda a, cutoff: _with_columns(a, cutoff, order_ends(a.columns).get(3)),
    "beyond radial": _beyond_radial,
    "saturation": _saturation,
    "picks": _picks,
    "pca": _pca,
    "means": _means,
    "learning": _learning,
    "ard": _ard,
}
