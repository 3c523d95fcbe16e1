"""Accuracies in the standard order of features (Fig. 3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.bundle import Analysis
from amorphace.learn.points import order_ends
from amorphace.learn.results import Curve
from amorphace.learn.splits import half_width
from amorphace.report.readings.found import (
    Case,
    Found,
    percent,
    points,
)
from amorphace.report.words import body_name

NARROW, SHORT, WIDE = 2.0, 3.0, 4.0
"""Cutoffs that the paper compares, in units of sigma."""


def accuracy_of(a: Analysis, cutoff: float | None = None) -> Curve | None:
    """The accuracy curve of a cutoff, of the analysis' own where there is none."""
    return a.curve("accuracy", "grouped", cutoff) or a.curve("accuracy", "grouped")


def radial_scores(a: Analysis) -> dict[float, NDArray[np.float64]]:
    """By cutoff, ascending: accuracy of every fold with all radial features."""
    end = order_ends(a.columns).get(1, 0)
    curves = sorted(a.curves("accuracy", "grouped"), key=lambda c: c.cutoff or 0.0)
    return {c.cutoff: at for c in curves if c.cutoff and (at := c.at(end)) is not None}


def gains(a: Analysis, curve: Curve) -> dict[int, NDArray[np.float64]]:
    """What all features up to each higher order add to the radial ones, fold by fold."""
    found = {n: curve.at(end) for n, end in order_ends(a.columns).items()}
    radial = found.pop(1, None)
    if radial is None:
        return {}
    return {n: scores - radial for n, scores in found.items() if scores is not None}


def first_species(a: Analysis) -> int | None:
    """Radial features of the first species of neighbour; None where there is one species."""
    starts = a.columns.species_starts()
    return starts[1] if len(starts) > 1 else None


def with_columns(a: Analysis, cutoff: float, n_columns: int | None) -> Found | None:
    """Accuracy with so many features in standard order."""
    curve = accuracy_of(a, cutoff)
    scores = None if curve is None or n_columns is None else curve.at(n_columns)
    if curve is None or scores is None:
        return None
    return Found(percent(scores), scores, curve.cutoff)


def with_order(a: Analysis, cutoff: float, order: int) -> Found | None:
    """Accuracy with all features up to a correlation order."""
    return with_columns(a, cutoff, order_ends(a.columns).get(order))


def difference(
    a: Analysis, cutoff: float, n_columns: int | None, other: int | None
) -> Found | None:
    """What some features in standard order tell more than fewer."""
    more, less = (with_columns(a, cutoff, n) for n in (n_columns, other))
    if more is None or less is None or more.values is None or less.values is None:
        return None
    gain = more.values - less.values
    return Found(points(gain), gain, more.cutoff)


def jump(case: Case, a: Analysis) -> Found | None:
    before = first_species(a)
    more = None if before is None else before + 1
    gain, found = difference(a, case.cutoff, more, before), with_columns(a, case.cutoff, more)
    if gain is None or found is None:
        return None
    return Found(found.text, found.values, found.cutoff, f"({gain.text})", gain.values)


def last_radial(case: Case, a: Analysis) -> Found | None:
    before, end = first_species(a), order_ends(a.columns).get(1, 0)
    half = None if before is None else (before + end) // 2
    return difference(a, case.cutoff, end, half)


def beyond_radial(case: Case, a: Analysis) -> Found | None:
    curve = accuracy_of(a, case.cutoff)
    added = gains(a, curve) if curve else {}
    if curve is None or not added:
        return None
    text = ", ".join(f"{points(gain)} up to {body_name(n)}" for n, gain in added.items())
    return Found(text, next(iter(added.values())), curve.cutoff)


def saturation(case: Case, a: Analysis) -> Found | None:
    """The smallest cutoff that no larger one beats by more than the error of the difference.

    Each counts with all radial features; differences are taken fold by fold.
    """
    scores = radial_scores(a)
    if len(scores) < 2:
        return None
    text = ", ".join(f"{c:g}: {100 * at.mean():.1f}" for c, at in scores.items())
    gain = wider(a, SHORT)
    for c, at in scores.items():
        more = [other - at for larger, other in scores.items() if larger > c]
        if all(gain.mean() <= half_width(gain) for gain in more):
            aside = f"(radial features at {text}\u00a0%)"
            return Found(f"{c:g}", np.array([c]), None, aside, gain, None if gain is not None
                         else (np.nan, np.nan))  # fmt: skip
    return None


def wider(a: Analysis, cutoff: float) -> NDArray[np.float64] | None:
    """What the radial features tell more at the widest cutoff of the paper than at another."""
    scores = radial_scores(a)
    return scores[WIDE] - scores[cutoff] if {WIDE, cutoff} <= set(scores) else None


def reach(case: Case, a: Analysis) -> Found | None:
    gain = wider(a, NARROW)
    return None if gain is None else Found(points(gain), gain)
