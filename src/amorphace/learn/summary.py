"""Accuracy curves as lines of a table, to print."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from amorphace.learn.curves import AccuracyCurve


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
