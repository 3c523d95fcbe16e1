"""What a reader of an analysis must know: which numbers are doubtful, and how to read them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amorphace.dataset.table import Table
from amorphace.learn.fit import LabelledSites
from amorphace.learn.reading import may_be_read
from amorphace.learn.results import Curve, named
from amorphace.learn.splits import half_width
from amorphace.learn.stability import ALPHA

FEW_EVENTS = 100
"""Fewer active (or inactive) sites, or sheared configurations that hold them, are worth a warning:
the error of an accuracy of 0.9 on as many independent test sites is 0.03."""

FEW_SAMPLES = 5
"""Fewer folds than this are worth a warning: Student's t and the spread itself are uncertain."""


def doubts(table: Table, sites: LabelledSites, n_splits: int) -> list[str]:
    """What makes the numbers of an analysis doubtful."""
    found: list[str] = []
    if n_splits < FEW_SAMPLES:
        factor = half_width(np.linspace(-1, 1, n_splits)) / np.linspace(-1, 1, n_splits).std(ddof=1)
        found.append(
            f"Scores are of {n_splits} folds of samples: an error is {factor:.1f} times the "
            f"standard deviation between them, which is itself known to "
            f"{1 / np.sqrt(2 * max(n_splits - 1, 1)):.0%}. Add samples."
        )
    for label, word in ((1, "active"), (0, "inactive")):
        rows = sites.rows[sites.y == label]
        n_sites, events = len(rows), n_events(table, rows)
        if events < n_sites and events < FEW_EVENTS:
            found.append(
                f"The {n_sites} {word} sites stand in only {events} configurations, and those of "
                f"one event move together: scores are uncertain by {0.5 / np.sqrt(events):.2f} "
                "or so. Add samples, or more strain."
            )
        elif n_sites < FEW_EVENTS:
            found.append(
                f"Only {n_sites} {word} sites: scores are uncertain by "
                f"{0.5 / np.sqrt(max(n_sites, 1)):.2f} or so. Add samples, or label more sites."
            )
    share = float(sites.y.mean())
    if not 0.4 <= share <= 0.6:
        found.append(
            f"{share:.0%} of the labelled sites are active: always guessing the more frequent "
            f"label is right for {max(share, 1 - share):.0%}. Read the balanced accuracy."
        )
    constant = int((np.ptp(sites.X, axis=0) == 0).sum())
    if constant:
        found.append(
            f"{constant} of {sites.X.shape[1]} columns are constant over the labelled sites and "
            "tell nothing."
        )
    return found


def n_events(table: Table, rows: NDArray[np.int64]) -> int:
    """Independent events among these rows.

    A sheared sample has a configuration for each of its events, known by sample and step; where
    every sample has one configuration, its sites count one by one.
    """
    pairs = np.unique(np.stack([table.sample[rows], table.step[rows]]), axis=1)
    sheared = pairs.shape[1] > len(np.unique(table.sample[rows]))
    return pairs.shape[1] if sheared else len(rows)


def notes(results: Sequence[Curve], n_splits: int) -> tuple[str, ...]:
    """How to read the numbers."""
    said = [
        f"± is the half-width of the 68 % interval of a mean over {n_splits} folds of samples: "
        "t·SD/√K with Student's t of K − 1 degrees of freedom."
    ]
    accuracy, random = (named(results, "accuracy", folds) for folds in ("grouped", "random"))
    if accuracy and random:
        pairs = zip(accuracy, random, strict=True)
        gains = np.mean([(r.values - g.values).mean(axis=0) for g, r in pairs], axis=0)
        more, error = float(gains.mean()), half_width(gains)
        size = "more than" if abs(more) > error else "less than"
        said.append(
            f"Random folds score {more:+.3f} against as many folds that keep samples whole, on "
            f"average over the curves: {size} the error {error:.3f} of the difference. Random "
            "folds put sites that share neighbours into both the training and the test rows, "
            "which can flatter, most of all with many columns; the grouped score is that of a "
            "sample never seen."
        )
    for curve in results:
        if curve.name == "permutation":
            n = int(np.cumprod(curve["p"][:, 0] <= ALPHA).sum())
            end = "" if n < len(curve.x) else " or more"
            said.append(
                f"Of the picks among {curve.variant}, the first {n}{end} raise the accuracy more "
                f"than columns that say nothing do (permutation test, p ≤ {ALPHA:g})."
            )
        elif curve.name == "readability":
            said.append(may_be_read(curve)[1])
    return tuple(said)
