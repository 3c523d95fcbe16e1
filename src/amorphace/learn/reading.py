"""Whether the weights of a linear model may be read one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.dataset.table import Columns
from amorphace.learn.model import LinearModel
from amorphace.learn.results import Curve
from amorphace.learn.splits import Fold

CONDITION = 30.0
"""Beyond this condition number collinearity harms (Belsley, Kuh and Welsch, 1980)."""

INFLATION = 10.0
"""Beyond this variance inflation a column is nearly a sum of others (Marquardt, 1970)."""

SAME_SIGN = 0.95
"""Share of the weights that should keep their sign in all models that leave out a fold."""

RIDGE = 1e-6
"""Added to correlation matrices, so that columns that repeat others have a large finite inflation
and not an infinite one."""


def readability(
    models: Sequence[LinearModel],
    X: NDArray[Any],
    folds: Sequence[Fold],
    columns: Columns,
    species: Sequence[str] = (),
) -> Curve:
    """How far the columns of a model say the same thing, by family.

    A family is the columns of one order and one set of neighbour species. All is measured on
    columns that are standardised by the training rows of each fold.

    Parameters
    ----------
    models : sequence of LinearModel
        One a fold, fitted to its training rows.
    X : ndarray of shape (n_sites, n_columns)
        The columns of the models.
    folds : sequence of Fold
    columns : Columns
        Of which those of the models are the first.
    species : sequence of str
        Labels that the species indices of `columns` stand for.

    Returns
    -------
    Curve
        "readability": at the number of columns of each family, labelled "order 2: A·B", the
        median variance inflation 1/(1 - R^2) of its columns ("inflation") and the largest
        ("largest_inflation"); the share of its weights with one sign in all models
        ("same_sign"); their median jackknife error over magnitude ("spread"); how much of the
        family the other columns do not hold, the norm of what they miss of it on the test rows
        over its own ("unheld", the global feature reconstruction error: 0 is all held, 1 nothing;
        NaN where there are no others); and the condition number of all columns, the square root
        of the largest over the smallest eigenvalue of their correlations, at every point alike
        ("condition").

    References
    ----------
    A. Goscinski, G. Fraux, G. Imbalzano and M. Ceriotti, Mach. Learn.: Sci. Technol. 2, 025028
    (2021): the reconstruction error.
    """
    families: dict[str, list[int]] = {}
    for k in range(X.shape[1]):
        order = int(columns.order[k])
        z = columns.z[k, :order].tolist()
        kinds = [str(species[kind]) for kind in z] if species else [str(kind) for kind in z]
        families.setdefault(f"order {order}: {'·'.join(sorted(kinds))}", []).append(k)
    weights = np.stack([model.weights * model.scale for model in models], axis=1)
    same = (np.abs(np.sign(weights).sum(axis=1)) == len(models)).astype(float)
    error = np.sqrt(len(models) - 1) * weights.std(axis=1)
    size = np.abs(weights.mean(axis=1))
    spread = np.divide(error, size, out=np.full(len(size), np.inf), where=size > 0)
    names = ("inflation", "largest_inflation", "same_sign", "spread", "unheld", "condition")
    found = np.empty((len(names), len(families), len(folds)))
    for f, fold in enumerate(folds):
        train, test = _standardised(X, fold)
        correlation = train.T @ train / len(train) + RIDGE * np.eye(X.shape[1])
        inflation = np.diagonal(np.linalg.inv(correlation))
        eigenvalues = np.linalg.eigvalsh(correlation)
        for p, own in enumerate(families.values()):
            found[:, p, f] = (
                np.median(inflation[own]),
                inflation[own].max(),
                same[own].mean(),
                min(float(np.median(spread[own])), 1e6),
                _unheld(correlation, test, own),
                np.sqrt(eigenvalues[-1] / eigenvalues[0]),
            )
    return Curve(
        name="readability",
        x=np.array([len(own) for own in families.values()]),
        scores=dict(zip(names, found, strict=True)),
        labels=tuple(families),
        of="draws",
    )


def may_be_read(curve: Curve) -> tuple[bool, str]:
    """Whether weights may be read one by one, and a sentence that says why.

    Parameters
    ----------
    curve : Curve
        Of `readability`.
    """
    condition = float(curve["condition"].mean())
    largest = curve["largest_inflation"].mean(axis=1)
    same = float(curve["same_sign"].mean(axis=1) @ curve.x / curve.x.sum())
    worst = curve.labels[int(np.argmax(largest))]
    good = condition <= CONDITION and largest.max() <= INFLATION and same >= SAME_SIGN
    verdict = "may" if good else "may not"
    return good, (
        f"The weights {verdict} be read one by one: the condition number of the columns is "
        f"{condition:.0f} (harmless up to {CONDITION:.0f}), the largest variance inflation "
        f"{largest.max():.3g} (up to {INFLATION:.0f}; {worst}), and {same:.0%} of the weights keep "
        f"their sign in all models that leave out a fold (from {SAME_SIGN:.0%} on)."
        + ("" if good else " Read their sums, the cluster functions.")
    )


def _standardised(X: NDArray[Any], fold: Fold) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Training and test rows in units of the training rows; a constant column is zero."""
    mean, std = X[fold.train].mean(axis=0), X[fold.train].std(axis=0)
    unit = np.divide(1, std, out=np.zeros_like(std), where=std > 0)
    return (X[fold.train] - mean) * unit, (X[fold.test] - mean) * unit


def _unheld(
    correlation: NDArray[np.float64], test: NDArray[np.float64], own: Sequence[int]
) -> float:
    """Norm of what the other columns miss of some, over the norm of these."""
    others = np.setdiff1d(np.arange(len(correlation)), own)
    if not len(others):
        return np.nan
    wanted = np.asarray(own)
    among, across = np.ix_(others, others), np.ix_(others, wanted)
    missed = test[:, wanted] - test[:, others] @ np.linalg.solve(
        correlation[among], correlation[across]
    )
    return float(np.linalg.norm(missed) / np.linalg.norm(test[:, wanted]))
