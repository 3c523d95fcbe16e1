"""Learning curves, regression, cluster functions; comparisons of cases."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.bundle import Analysis
from amorphace.learn.intervals import half_width_apart
from amorphace.learn.points import order_ends
from amorphace.learn.results import named, paired
from amorphace.learn.splits import LEVEL
from amorphace.report.readings.accuracies import (
    NARROW,
    WIDE,
    accuracy_of,
    difference,
    first_species,
    wider,
    with_order,
)
from amorphace.report.readings.found import (
    SURE,
    Case,
    Found,
    correlation,
    percent,
    plus_minus,
    points,
    with_error,
)
from amorphace.report.words import body_name

CHOICE, WEIGHT, SINGLE_RUNS = "choice", "degree weight", "single runs"
"""Curves of a content with accuracies under another choice of the method, by name and variant; x is
the correlation order up to which all features are used."""


def propensity_correlation(case: Case, a: Analysis) -> Found | None:
    values = np.array(case.content.correlations)
    return Found(percent(values), values) if len(values) else None


def learning(case: Case, a: Analysis) -> Found | None:
    """Radial features: what all training samples give more than the half, or just above it."""
    curves = [c for c in a.curves("learning", "samples") if len(c.x) > 1]
    if not curves:
        return None
    c = min(curves, key=lambda c: c.n_columns or 0)
    n_samples = [float(label) for label in c.labels]
    half = int(np.searchsorted(n_samples, n_samples[-1] / 2))  # of three samples, two
    gain = c.values[-1] - c.values[half]
    aside = f"({n_samples[-1]:g} samples, not {n_samples[half]:g})"
    return Found(points(gain), gain, c.cutoff, aside)


def ard(case: Case, a: Analysis) -> Found | None:
    """With all features, for the target itself; and how it goes with the accuracy."""
    first = next(iter(a.curves("ard")), None)
    c = first and (a.curve("ard", first.variant, case.cutoff) or a.curve("ard", first.variant))
    if c is None or np.isnan(c.values[-1]).all():
        return None
    pairs = []
    for ard in a.curves("ard", c.variant):
        curve = a.curve("accuracy", "grouped", ard.cutoff)
        at = [] if curve is None else [(curve.at(x), r) for x, r in zip(ard.x, ard.values,
                                                                       strict=True)]  # fmt: skip
        pairs += [(s, r) for s, r in at if s is not None and np.isfinite(r).all()]
    aside, tested = f"with {c.x[-1]} features", None
    if len(pairs) > 2:
        s, r = np.array(pairs).transpose(1, 2, 0)
        if min(s.std(axis=1).min(), r.std(axis=1).min()) > 0:
            tested = np.array([np.corrcoef(*fold)[0, 1] for fold in zip(s, r, strict=True)])
            aside += f"; {plus_minus(tested, 2)} with the accuracy"
    interval = None if tested is not None else (np.nan, np.nan)
    return Found(correlation(c), c.values[-1], c.cutoff, aside, tested, interval)


def function(name: str) -> Callable[[Case, Analysis], Found | None]:
    """Size of cluster functions over their error, both root mean squares over all distances."""

    def read(case: Case, a: Analysis) -> Found | None:
        curves = a.curves(name)
        error = [np.mean(np.square(c.error)) for c in curves]
        if not curves or not np.sum(error) > 0:
            return None
        size = [np.mean(np.square(c.mean)) for c in curves]
        ratio = float(np.sqrt(np.sum(size) / np.sum(error)))
        return Found(f"{ratio:.1f}", None, curves[0].cutoff, "", None, (ratio, ratio))

    return read


def weight(case: Case, a: Analysis) -> Found | None:
    """What features of other degree weights tell more, up to each order that they concern."""
    usual, ends, said, ranges = accuracy_of(a, case.cutoff), order_ends(a.columns), [], []
    for c in named(case.content.curves, CHOICE):
        for order in c.x[c.x > 1].tolist() if c.variant.startswith(WEIGHT) else ():
            pair = usual and paired(c, order, usual, ends.get(order))
            if pair:
                gain = pair[0] - pair[1]
                said.append(f"{points(gain)} up to {body_name(order)} ({c.variant})")
                ranges.append(Found("", gain).range)
    if not ranges:
        return None
    low, high = zip(*ranges, strict=True)
    return Found(", ".join(said), None, None, "", None, (min(low), max(high)))


def single_runs(case: Case, a: Analysis) -> Found | None:
    """What thermal labels of one run lose, and whether that is most of what shear is lower by."""
    one = next(iter(named(case.content.curves, CHOICE, SINGLE_RUNS)), None)
    thermal, own = case.thermal, with_order(a, case.cutoff, 1)
    usual = thermal and accuracy_of(thermal, WIDE)
    if one is None or thermal is None or usual is None or own is None or own.values is None:
        return None
    pair = paired(one, 1, usual, order_ends(thermal.columns).get(1))
    if pair is None:
        return None
    single, whole = pair
    most = _apart(whole / 2 - single, -own.values / 2)
    lower = 100 * float(whole.mean() - own.values.mean())
    aside = f"(labels of single runs, of {lower:.1f}\u00a0points that shear is lower by)"
    return most and Found(points(single - whole), None, WIDE, aside, None, most.interval)


def _apart(one: NDArray[np.float64] | None, other: NDArray[np.float64] | None) -> Found | None:
    """A difference of two cases, whose samples have nothing in common."""
    if one is None or other is None:
        return None
    gain = float(np.mean(one) - np.mean(other))
    shown, width = (100 * half_width_apart(one, other, p) for p in (LEVEL, SURE))
    text = f"{with_error(100 * gain, shown, 1, '+')}\u00a0points"
    return Found(text, None, None, "", None, (gain - width / 100, gain + width / 100))


def lower(case: Case, a: Analysis) -> Found | None:
    thermal = case.thermal
    other = thermal and with_order(thermal, WIDE, 1)
    own = with_order(a, case.cutoff, 1)
    return own and other and _apart(other.values, own.values)


def less_range(case: Case, a: Analysis) -> Found | None:
    return case.thermal and _apart(wider(case.thermal, NARROW), wider(a, NARROW))


def more_by_b(case: Case, a: Analysis) -> Found | None:
    def gain(a: Analysis, cutoff: float) -> NDArray[np.float64] | None:
        end, before = order_ends(a.columns).get(1), first_species(a)
        found = difference(a, cutoff, end, before)
        return found and found.values

    return case.thermal and _apart(gain(case.thermal, WIDE), gain(a, case.cutoff))


def glasses(case: Case, a: Analysis) -> Found | None:
    """The two glasses that the paper finds furthest apart."""
    found = {}
    for c in (*case.others, case.content):
        if c.analysis is not None and c.protocol == case.content.protocol:
            found[c.model] = with_order(c.analysis, case.cutoff, 1)
    one, other = found.get("wahnstrom"), found.get("bead-spring")
    return one and other and _apart(one.values, other.values)
