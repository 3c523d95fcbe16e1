"""Which features, and which classifier (Figs. 4 and 5)."""

from __future__ import annotations

import numpy as np

from amorphace.learn.bundle import Analysis
from amorphace.learn.intervals import share_interval
from amorphace.learn.points import order_ends
from amorphace.learn.results import paired
from amorphace.report.readings.accuracies import (
    accuracy_of,
)
from amorphace.report.readings.found import (
    SURE,
    Case,
    Found,
    percent,
    points,
)

FEW, TEN = 5, 10
"""Features that are few, and those that the paper finds necessary under shear."""

PCA_COLUMNS = (5, 10, 20)
"""Numbers of features at which principal components and the standard order are compared."""


def few(case: Case, a: Analysis) -> Found | None:
    return _selected(a, FEW, "order 1, pairs first") or _selected(a, FEW, "order 1")


def ten(case: Case, a: Analysis) -> Found | None:
    return _selected(a, TEN, "orders 1 to 2") or _selected(a, TEN, "order 1")


def _selected(a: Analysis, n: int, scope: str) -> Found | None:
    """What so many features score that were picked without the test samples, and what they lack."""
    picked = a.curve("nested_selection", scope)
    whole = accuracy_of(a, a.cutoff)
    end = order_ends(a.columns).get(1 if scope.startswith("order 1") else 2)
    both = None if picked is None or whole is None else paired(whole, end, picked, n)
    if picked is None or both is None:
        return None
    lack, two = both[0] - both[1], picked.at(2)
    aside = f"(all {end} features: {points(lack)}"
    aside += ")" if two is None or n == 2 else f"; the first two reach {percent(two)})"
    return Found(percent(both[1]), both[1], picked.cutoff, aside, lack)


def svm(case: Case, a: Analysis) -> Found | None:
    logistic, svm = (a.curve("classifiers", kind) for kind in ("logistic", "svm"))
    if logistic is None or svm is None:
        return None
    gain = svm.values[-1] - logistic.values[-1]
    return Found(points(gain), gain, svm.cutoff, f"(with {svm.x[-1]} features)")


def picks(case: Case, a: Analysis) -> Found | None:
    """Names of the first two picks, of the selection with the fewest candidates."""
    picked = a.curves("selection")
    if not picked:
        return None
    runs = a.curve("stability", picked[0].variant)
    wanted = [name for name in case.paper.split(", ") if name in a.columns.names]
    text, cutoff = ", ".join(picked[0].labels[:2]), picked[0].cutoff
    pairs = a.curve("selection", "order 1, pairs first")
    if pairs is not None and set(pairs.labels[:2]) != set(picked[0].labels[:2]):
        text += f"; as a pair {', '.join(pairs.labels[:2])}"
    if runs is None or not wanted:
        return Found(text, None, cutoff)
    drawn = dict(zip(runs.labels, runs.values, strict=True))
    never = np.full(runs.values.shape[1], np.nan)
    first = np.all([drawn.get(name, never) <= len(wanted) for name in wanted], axis=0)
    aside = f"({case.paper} in {first.sum()} of {len(first)} bootstrap runs)"
    interval = share_interval(int(first.sum()), len(first), SURE)
    return Found(text, None, cutoff, aside, None, interval)


def twin(case: Case, a: Analysis) -> Found | None:
    alone = a.curve("single_columns", "orders 1 to 2")
    end = order_ends(a.columns).get(1, 0)
    if alone is None or len(alone.x) <= end:
        return None
    gain = alone.values[end] - alone.values[0]
    return Found(points(gain), gain, alone.cutoff, f"({alone.labels[end]})")


def pca(case: Case, a: Analysis) -> Found | None:
    """What principal components score more than as many features in standard order."""
    curve, tested, said = accuracy_of(a, a.cutoff), [], []
    for pca in a.curves("pca"):
        both = [(n, pca.at(n), curve.at(n) if curve else None) for n in PCA_COLUMNS]
        more = {n: p - c for n, p, c in both if p is not None and c is not None}
        if more:
            text = ", ".join(f"{points(gain)} with {n}" for n, gain in more.items())
            said.append(f"{pca.variant}: {text}" if pca.variant else text)
            tested.append(np.mean(list(more.values()), axis=0))
    if not tested:
        return None
    best = max(tested, key=lambda gain: gain.mean())
    return Found("; ".join(said), best, a.cutoff)


def means(case: Case, a: Analysis) -> Found | None:
    """Which sites have the larger magnitude of the first feature on average, and how apart."""
    found, pairs = a.curve("thresholds"), a.curve("magnitudes")
    if found is None:
        return None
    active, inactive, auc = (found[k][0, 0] for k in ("mean_active", "mean_inactive", "auc"))
    larger = "active" if abs(active) > abs(inactive) else "inactive"
    text = f"{found.labels[0]}: {active:.2f}, {inactive:.2f}; {larger} larger, AUC {auc:.2f}"
    tested = None if pairs is None else pairs.values[0]
    return Found(text, None, found.cutoff, "", tested)
