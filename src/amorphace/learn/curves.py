"""Cross-validated accuracy against the number of columns (paper, Fig. 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns
from amorphace.learn.folds import Fold, Folds, split
from amorphace.learn.logistic import (
    STRENGTHS,
    check_data,
    check_strengths,
    fit_best,
    inner_of_all,
)
from amorphace.learn.parallel import Progress, run_all
from amorphace.learn.points import column_points

Ordering = Literal["standard", "pca"]
"""Of the columns of a curve."""


@dataclass(frozen=True, eq=False, kw_only=True)
class AccuracyCurve:
    """Scores of classifiers on the leading columns, one for every fold.

    Attributes
    ----------
    n_columns : ndarray of int of shape (n_points,)
        How many leading columns the classifier uses, ascending.
    accuracy, balanced_accuracy, roc_auc : ndarray of shape (n_points, n_folds)
        On the test rows of each fold.
    strength : ndarray of shape (n_points, n_folds)
        The one chosen inside the training rows.
    order : tuple of int of length n_points
        Correlation order of the last column used; () when columns are not known.
    last_column : tuple of str of length n_points
        Its name; () when columns are not known.
    cutoff : float, optional
        Of the features, in units of sigma.
    folds : {"grouped", "random"}
        Whether the sites of a sample stay together in a fold.
    ordering : {"standard", "pca"}
        Leading columns in standard order, or leading principal components.
    """

    n_columns: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    balanced_accuracy: NDArray[np.float64]
    roc_auc: NDArray[np.float64]
    strength: NDArray[np.float64]
    order: tuple[int, ...] = ()
    last_column: tuple[str, ...] = ()
    cutoff: float | None = None
    folds: Folds = "grouped"
    ordering: Ordering = "standard"

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean accuracy over the folds, shape (n_points,)."""
        return self.accuracy.mean(axis=1)

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation of the accuracy between folds (n - 1), shape (n_points,)."""
        return self.accuracy.std(axis=1, ddof=1)


def accuracy_curve(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    n_columns: Sequence[int] | None = None,
    columns: Columns | None = None,
    n_splits: int = 5,
    n_inner_splits: int = 4,
    folds: Folds = "grouped",
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> AccuracyCurve:
    """Accuracy of logistic regression on the leading columns, cross-validated.

    In every fold the columns are standardised by the training rows, and the strength of the
    Tikhonov regularisation is the one with the least log-loss in a second cross-validation inside
    the training rows: the test rows take part in neither.

    Parameters
    ----------
    X : array_like of shape (n_sites, n_all_columns)
        Features in the standard order of columns.
    y : array_like of shape (n_sites,)
        1 active, 0 inactive.
    groups : array_like of shape (n_sites,)
        The sample of each site.
    n_columns : sequence of int, optional
        How many leading columns to use; `default_columns` when left out.
    columns : Columns, optional
        What the columns are.
    n_splits, n_inner_splits : int
        Folds for the scores, and inside each for the strength (or as many as there are samples
        left).
    folds : {"grouped", "random"}
        Whether the sites of one sample stay together; see `split`.
    strengths : sequence of float
        To choose from (scikit-learn's C is 1/strength); one strength is taken as it is.
    seed : int
        Of random folds.
    n_jobs : int
        Processes; -1 is all processors. The result does not depend on it.
    progress : callable, optional
        Called as progress(done, total).

    Returns
    -------
    AccuracyCurve

    Raises
    ------
    InputError
        If the data is not usable, there are fewer samples than folds, or `n_columns` is not.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, groups = rng.normal(size=(400, 2)), np.repeat(np.arange(10), 40)
    >>> curve = accuracy_curve(X, X[:, 1] > 0, groups, strengths=[0.1])
    >>> curve.n_columns.tolist(), (curve.mean > 0.9).tolist()
    ([1, 2], [False, True])
    """
    X, y, groups = check_data(X, y, groups)
    if columns is not None and len(columns) != X.shape[1]:
        raise InputError(f"X has {X.shape[1]} columns, `columns` describes {len(columns)}")
    points = column_points(n_columns, columns, X.shape[1])
    outer = split(y, groups, n_splits=n_splits, folds=folds, seed=seed)
    last = [k - 1 for k in points]
    found = _curve(
        X, y, groups, points, outer, [None] * n_splits, n_inner_splits, folds, strengths, seed,
        n_jobs, progress,
    )  # fmt: skip
    if columns is None:
        return found
    return replace(
        found,
        order=tuple(int(columns.order[k]) for k in last),
        last_column=tuple(columns.names[k] for k in last),
    )


def pca_curve(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    n_components: Sequence[int] | None = None,
    n_splits: int = 5,
    n_inner_splits: int = 4,
    folds: Folds = "grouped",
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> AccuracyCurve:
    """Accuracy of logistic regression on the leading principal components (Fig. 5).

    The components are those of the standardised columns, of the training rows of each fold alone.
    They have the largest variance, which need not be what tells active from inactive.

    Parameters
    ----------
    X, y, groups, n_splits, n_inner_splits, folds, strengths, seed, n_jobs, progress
        As in `accuracy_curve`.
    n_components : sequence of int, optional
        How many leading components to use; 1, 2, 3, ... to 20 when left out, or as many as there
        are columns.

    Returns
    -------
    AccuracyCurve
        With ordering "pca"; `last_column` is "PC 1", ...

    Raises
    ------
    InputError
        As `accuracy_curve`.
    """
    X, y, groups = check_data(X, y, groups)
    if n_components is None:
        n_components = range(1, min(20, X.shape[1]) + 1)
    points = column_points(n_components, None, X.shape[1], "n_components")
    outer = split(y, groups, n_splits=n_splits, folds=folds, seed=seed)
    rotations = [_Rotation.of(X[fold.train]) for fold in outer]
    found = _curve(
        X, y, groups, points, outer, rotations, n_inner_splits, folds, strengths, seed, n_jobs,
        progress,
    )  # fmt: skip
    return replace(found, last_column=tuple(f"PC {k}" for k in points), ordering="pca")


@dataclass(frozen=True, eq=False)
class _Rotation:
    """Principal components: (x - mean) / scale . vectors, largest variance first."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    vectors: NDArray[np.float64]

    @classmethod
    def of(cls, X: NDArray[Any]) -> _Rotation:
        scaled = StandardScaler().fit(X)
        Z = np.asarray(scaled.transform(X))
        _, vectors = np.linalg.eigh(Z.T @ Z)
        return cls(np.asarray(scaled.mean_), np.asarray(scaled.scale_), vectors[:, ::-1])

    def leading(self, X: NDArray[Any], n: int) -> NDArray[np.float64]:
        return (X - self.mean) / self.scale @ self.vectors[:, :n]


def _curve(
    X: NDArray[Any],
    y: NDArray[np.int64],
    groups: NDArray[Any],
    points: Sequence[int],
    outer: Sequence[Fold],
    rotations: Sequence[_Rotation | None],
    n_inner_splits: int,
    folds: Folds,
    strengths: Sequence[float],
    seed: int,
    n_jobs: int,
    progress: Progress | None,
) -> AccuracyCurve:
    """Scores of all points and folds."""
    strengths = check_strengths(strengths)
    inner = inner_of_all(y, groups, outer, len(strengths), n_inner_splits, folds, seed)
    tasks = [(p, f) for p in reversed(range(len(points))) for f in range(len(outer))]
    results = run_all(
        _score,
        [(X, y, points[p], outer[f], inner[f], strengths, rotations[f]) for p, f in tasks],
        n_jobs=n_jobs,
        progress=progress,
    )
    scores = np.empty((4, len(points), len(outer)))
    for (p, f), result in zip(tasks, results, strict=True):
        scores[:, p, f] = result
    return AccuracyCurve(
        n_columns=np.array(points, dtype=np.int64),
        accuracy=scores[0],
        balanced_accuracy=scores[1],
        roc_auc=scores[2],
        strength=scores[3],
        folds=folds,
    )


def _score(
    X: NDArray[Any],
    y: NDArray[np.int64],
    n_columns: int,
    fold: Fold,
    inner: Sequence[Fold],
    strengths: Sequence[float],
    rotation: _Rotation | None,
) -> tuple[float, float, float, float]:
    """Accuracy, balanced accuracy, ROC-AUC on the test rows, and the chosen strength."""
    if rotation is None:
        train, test = X[fold.train, :n_columns], X[fold.test, :n_columns]
    else:
        train, test = (rotation.leading(X[r], n_columns) for r in (fold.train, fold.test))
    fit = fit_best(train, y[fold.train], inner, strengths)
    return *scores_of(y[fold.test], fit.decision(test)), fit.strength


def scores_of(
    truth: NDArray[np.int64], decision: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Accuracy, balanced accuracy and ROC-AUC of a decision function."""
    predicted = (decision > 0).astype(np.int64)
    return (
        float(accuracy_score(truth, predicted)),
        float(balanced_accuracy_score(truth, predicted)),
        float(roc_auc_score(truth, decision)),
    )
