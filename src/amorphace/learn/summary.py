"""Accuracy curves as lines of a table: to print, and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amorphace.core.files import text_written_aside
from amorphace.learn.curves import AccuracyCurve

CSV_FIELDS = (
    "cutoff",
    "n_columns",
    "order",
    "last_column",
    "fold",
    "accuracy",
    "balanced_accuracy",
    "roc_auc",
    "strength",
)


@dataclass(frozen=True)
class AccuracySummary:
    """One point of one curve, over all folds; `std` is between folds."""

    cutoff: float | None
    n_columns: int
    order: int | None
    last_column: str
    accuracy: float
    accuracy_std: float
    balanced_accuracy: float
    roc_auc: float


def summarize(curves: Iterable[AccuracyCurve]) -> list[AccuracySummary]:
    """Means over folds, one entry for every point of every curve."""
    return [
        AccuracySummary(
            cutoff=curve.cutoff,
            n_columns=int(curve.n_columns[p]),
            order=curve.order[p] if curve.order else None,
            last_column=curve.last_column[p] if curve.last_column else "",
            accuracy=float(curve.mean[p]),
            accuracy_std=float(curve.std[p]),
            balanced_accuracy=float(curve.balanced_accuracy[p].mean()),
            roc_auc=float(curve.roc_auc[p].mean()),
        )
        for curve in curves
        for p in range(len(curve.n_columns))
    ]


def write_csv(path: str | Path, curves: Iterable[AccuracyCurve]) -> None:
    """Write curves as CSV, one line for every cutoff, number of columns and fold (from 1).

    Parameters
    ----------
    path : str or Path
        The file appears whole or not at all; one that is there is replaced.
    curves : iterable of AccuracyCurve
    """
    with text_written_aside(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(CSV_FIELDS)
        for curve in curves:
            writer.writerows(_csv_rows(curve))


def _csv_rows(curve: AccuracyCurve) -> Iterator[tuple[Any, ...]]:
    for p, n in enumerate(curve.n_columns.tolist()):
        place = (
            "" if curve.cutoff is None else curve.cutoff,
            n,
            curve.order[p] if curve.order else "",
            curve.last_column[p] if curve.last_column else "",
        )
        scores = (curve.accuracy, curve.balanced_accuracy, curve.roc_auc, curve.strength)
        for f in range(curve.accuracy.shape[1]):
            yield (*place, f + 1, *(float(s[p, f]) for s in scores))
