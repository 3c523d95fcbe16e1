"""What the paper states, in claims.toml, and what is found of it here."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.bundle import Analysis
from amorphace.learn.points import order_ends
from amorphace.learn.results import Curve
from amorphace.learn.splits import half_width
from amorphace.report.content import ReportContent
from amorphace.report.words import body_name

_CLAIMS: Mapping[str, Any] = tomllib.loads(
    files("amorphace.report").joinpath("claims.toml").read_text(encoding="utf-8")
)

CITATION: str = _CLAIMS["citation"]
WHAT_DIFFERS: str = _CLAIMS["what_differs"]

CUTOFFS: Mapping[str, float] = _CLAIMS["cutoffs"]
"""By protocol, in units of sigma: where the paper's accuracies saturate, and ours are read."""

PUBLISHED: Mapping[str, tuple[tuple[str, float], ...]] = {
    model: tuple((line["method"], line["pearson"]) for line in lines)
    for model, lines in _CLAIMS["published"].items()
}
"""By model: methods, and the correlation of predicted with measured propensity near tau_alpha that
their authors report."""

CASES: tuple[tuple[str, str], ...] = tuple(
    (model, protocol)
    for model, protocols in _CLAIMS["case"].items()
    for protocol in protocols
    if model != "all"
)
"""Models and protocols that the paper treats."""

NOT_STATED = "not measured here"
PCA_COLUMNS = (5, 10, 20)
"""Numbers of features at which principal components and the standard order are compared."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of the paper, and what is found here.

    Attributes
    ----------
    reading : str
        What is read of an analysis: a key of `READINGS`.
    quantity : str
        The same in words.
    paper, ours, aside : str
        The last is what is to be said of ours.
    place : str
        Where the paper says so.
    mean, error : float or None
        Ours as a number, with the half-width of its 68 % interval; None where it is no number.
    cutoff : float or None
        At which ours is read, in units of sigma.
    """

    reading: str
    quantity: str
    paper: str
    place: str
    ours: str = NOT_STATED
    aside: str = ""
    mean: float | None = None
    error: float | None = None
    cutoff: float | None = None


def stated(model: str, protocol: str) -> tuple[Statement, ...]:
    """What the paper states on one of its six cases; () on any other.

    Quantities that the paper only draws are listed too.

    Examples
    --------
    >>> [s.paper for s in stated("kob-andersen", "thermal")][:4]
    ['95 %', 'in the figure only', '60-65 %', 'dramatic increase']
    >>> stated("silica", "thermal")
    ()
    """
    if (model, protocol) not in CASES:
        return ()
    values = _CLAIMS["case"]["all"][protocol] | _CLAIMS["case"][model][protocol]
    fits = {None, protocol, "" if model == "bead-spring" else "mixtures"}
    return tuple(
        Statement(
            reading=reading,
            quantity=quantity["words"],
            paper=values.get(reading, _CLAIMS["unstated"]),
            place=quantity["place"],
            cutoff=CUTOFFS[protocol],
        )
        for reading, quantity in _CLAIMS["quantity"].items()
        if quantity.get("only") in fits
    )


def comparisons(content: ReportContent) -> tuple[Statement, ...]:
    """The paper's statements on a case with what is found here; () where it treats another."""
    return tuple(_compared(content, s) for s in stated(content.model, content.protocol))


def _compared(content: ReportContent, s: Statement) -> Statement:
    found = None
    if s.reading == "correlation":
        values = np.array(content.correlations)
        found = _Found(percent(values), values) if len(values) else None
    elif content.analysis is not None:
        found = READINGS[s.reading](content.analysis, s.cutoff or 0.0)
    if found is None:
        return s
    cutoff = "" if found.cutoff in (None, s.cutoff) else f"at cutoff {found.cutoff:g} σ"
    aside = " ".join(filter(None, (found.aside, cutoff)))
    numbers = {} if found.values is None else {
        "mean": float(np.mean(found.values)), "error": half_width(found.values)
    }  # fmt: skip
    return replace(s, ours=found.text, aside=aside, cutoff=found.cutoff, **numbers)


@dataclass(frozen=True)
class _Found:
    """What a reading gives: text, scores of the folds, the cutoff, what is to be said of it."""

    text: str
    values: NDArray[np.float64] | None = None
    cutoff: float | None = None
    aside: str = ""


def plus_minus(values: NDArray[np.float64], digits: int, sign: str = "") -> str:
    """Mean and half-width of the 68 % interval, with spaces that do not break."""
    error = half_width(values)
    width = "" if np.isnan(error) else f"\u00a0±\u00a0{error:.{digits}f}"
    return f"{np.nanmean(values):{sign}.{digits}f}{width}".replace("-", "−")


def percent(values: NDArray[np.float64]) -> str:
    """Such as 91.2 ± 0.4 %."""
    return f"{plus_minus(100 * values, 1)}\u00a0%"


def points(gain: NDArray[np.float64]) -> str:
    """A difference of accuracies, such as +1.2 ± 0.8 points."""
    return f"{plus_minus(100 * gain, 1, '+')}\u00a0points"


def accuracy_of(a: Analysis, cutoff: float | None = None) -> Curve | None:
    """The accuracy curve of a cutoff, of the analysis' own where there is none."""
    return a.curve("accuracy", "grouped", cutoff) or a.curve("accuracy", "grouped")


def _with_columns(a: Analysis, cutoff: float, n_columns: int | None) -> _Found | None:
    """Accuracy with so many features in standard order."""
    curve = accuracy_of(a, cutoff)
    scores = None if curve is None or n_columns is None else curve.at(n_columns)
    if curve is None or scores is None:
        return None
    return _Found(percent(scores), scores, curve.cutoff)


def _with_order(a: Analysis, cutoff: float, order: int) -> _Found | None:
    """Accuracy with all features up to a correlation order."""
    return _with_columns(a, cutoff, order_ends(a.columns).get(order))


def _first_species(a: Analysis) -> int | None:
    """Radial features of the first species of neighbour; None where there is one species."""
    starts = a.columns.species_starts()
    return starts[1] if len(starts) > 1 else None


def _jump(a: Analysis, cutoff: float) -> _Found | None:
    before = _first_species(a)
    return None if before is None else _with_columns(a, cutoff, before + 1)


def gains(a: Analysis, curve: Curve) -> dict[int, NDArray[np.float64]]:
    """What all features up to each higher order add to the radial ones, fold by fold."""
    found = {n: curve.at(end) for n, end in order_ends(a.columns).items()}
    radial = found.pop(1, None)
    if radial is None:
        return {}
    return {n: scores - radial for n, scores in found.items() if scores is not None}


def _beyond_radial(a: Analysis, cutoff: float) -> _Found | None:
    curve = accuracy_of(a, cutoff)
    added = gains(a, curve) if curve else {}
    if curve is None or not added:
        return None
    text = ", ".join(f"{points(gain)} up to {body_name(n)}" for n, gain in added.items())
    return _Found(text, next(iter(added.values())), curve.cutoff)


def _saturation(a: Analysis, cutoff: float) -> _Found | None:
    """The smallest cutoff that no larger one beats by more than the error of the difference.

    Each counts with all radial features; differences are taken fold by fold.
    """
    end = order_ends(a.columns).get(1, 0)
    curves = sorted(a.curves("accuracy", "grouped"), key=lambda c: c.cutoff or 0.0)
    scores = {c.cutoff: at for c in curves if c.cutoff and (at := c.at(end)) is not None}
    if len(scores) < 2:
        return None
    text = ", ".join(f"{c:g}: {100 * at.mean():.1f}" for c, at in scores.items())
    for c, at in scores.items():
        more = [other - at for larger, other in scores.items() if larger > c]
        if all(gain.mean() <= half_width(gain) for gain in more):
            return _Found(f"{c:g}", np.array([c]), None, f"(radial features at {text}\u00a0%)")
    return None


def _picks(a: Analysis, cutoff: float) -> _Found | None:
    """Names of the first two picks, of the selection with the fewest candidates."""
    picked = a.curves("selection")
    return _Found(", ".join(picked[0].labels[:2]), None, picked[0].cutoff) if picked else None


def _pca(a: Analysis, cutoff: float) -> _Found | None:
    """What principal components score more than as many features in standard order."""
    pca, curve = a.curve("pca"), accuracy_of(a)
    both = [(n, pca.at(n), curve.at(n)) for n in PCA_COLUMNS] if pca and curve else []
    more = {n: p - c for n, p, c in both if p is not None and c is not None}
    if not more:
        return None
    text = ", ".join(f"{points(gain)} with {n}" for n, gain in more.items())
    return _Found(text, list(more.values())[-1], a.cutoff)


def _means(a: Analysis, cutoff: float) -> _Found | None:
    """Which sites have the larger magnitude of the first feature on average, and how apart."""
    found = a.curve("thresholds")
    if found is None:
        return None
    active, inactive, auc = (found[k][0, 0] for k in ("mean_active", "mean_inactive", "auc"))
    larger = "active" if abs(active) > abs(inactive) else "inactive"
    text = f"{found.labels[0]}: {active:.2f}, {inactive:.2f}; {larger} larger, AUC {auc:.2f}"
    return _Found(text, None, found.cutoff)


def _learning(a: Analysis, cutoff: float) -> _Found | None:
    """Radial features: what all training samples give more than the half, or just above it."""
    curves = [c for c in a.curves("learning", "samples") if len(c.x) > 1]
    if not curves:
        return None
    c = min(curves, key=lambda c: c.n_columns or 0)
    n_samples = [float(label) for label in c.labels]
    half = int(np.searchsorted(n_samples, n_samples[-1] / 2))  # of three samples, two
    gain = c.values[-1] - c.values[half]
    aside = f"({n_samples[-1]:g} samples, not {n_samples[half]:g})"
    return _Found(points(gain), gain, c.cutoff, aside)


def _ard(a: Analysis, cutoff: float) -> _Found | None:
    """With all features, for the target itself."""
    first = next(iter(a.curves("ard")), None)
    c = first and (a.curve("ard", first.variant, cutoff) or a.curve("ard", first.variant))
    if c is None or np.isnan(c.values[-1]).all():
        return None
    return _Found(correlation(c), c.values[-1], c.cutoff, f"with {c.x[-1]} features")


def correlation(c: Curve) -> str:
    """At the last point: 0.82 ± 0.03, or 0.82 ± 0.03 (3 of 4 folds) where some have none."""
    n, undefined = c.values.shape[1], c.n_undefined[-1]
    return plus_minus(c.values[-1], 2) + (f" ({n - undefined} of {n} folds)" if undefined else "")


READINGS: Mapping[str, Callable[[Analysis, float], _Found | None]] = {
    "first": lambda a, cutoff: _with_columns(a, cutoff, 1),
    "first species": lambda a, cutoff: _with_columns(a, cutoff, _first_species(a)),
    "jump": _jump,
    "radial": lambda a, cutoff: _with_order(a, cutoff, 1),
    "three-body": lambda a, cutoff: _with_order(a, cutoff, 2),
    "four-body": lambda a, cutoff: _with_order(a, cutoff, 3),
    "beyond radial": _beyond_radial,
    "saturation": _saturation,
    "picks": _picks,
    "pca": _pca,
    "means": _means,
    "learning": _learning,
    "ard": _ard,
}
