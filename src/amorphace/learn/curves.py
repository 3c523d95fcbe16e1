"""Cross-validated accuracy against the number of columns (paper, Fig. 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from amorphace.core.blas import one_blas_thread
from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns, Table
from amorphace.learn.fit import check_described, labelled_sites
from amorphace.learn.folds import Fold, Folds, split
from amorphace.learn.logistic import (
    STRENGTHS,
    check_data,
    check_strengths,
    fit_best,
    inner_folds,
)

Progress = Callable[[int, int], None]
"""Called as progress(done, total) after every fit of one fold at one number of columns."""

Ordering = Literal["standard", "pca"]
"""Of the columns of a curve."""

RADIAL_POINTS = (1, 2, 3, 5, 10, 20, 50, 100)
"""Numbers of columns of one species at which the radial part of a curve has points."""

POINTS_PER_ORDER = 5
"""Points, log-spaced, from the first column of a higher order to its last."""


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


def default_columns(order: ArrayLike, z: ArrayLike) -> tuple[int, ...]:
    """Numbers of columns at which a curve has points.

    In the radial part 1, 2, 3, 5, 10, ... and all columns of every species of neighbour; in each
    higher order `POINTS_PER_ORDER` log-spaced ones, of which the last is all columns of the order.

    Parameters
    ----------
    order : array_like of int of shape (n_columns,)
        Correlation order of every column.
    z : array_like of int of shape (n_columns, max_order)
        Species index of every channel; -1 where unused.

    Examples
    --------
    >>> default_columns([1] * 6 + [2] * 20, [[0, -1]] * 3 + [[1, -1]] * 3 + [[0, 0]] * 20)
    (1, 2, 3, 4, 5, 6, 8, 11, 14, 19, 26)
    """
    order, z = np.asarray(order), np.asarray(z)
    block = np.where(order == 1, z[:, 0], -1)
    starts = np.flatnonzero((np.diff(order, prepend=-1) != 0) | (np.diff(block, prepend=-2) != 0))
    points: set[int] = set()
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        if order[start] == 1:
            points |= {int(start) + k for k in RADIAL_POINTS if start + k < end}
        else:
            spaced = np.geomspace(max(start, 1), end, POINTS_PER_ORDER + 1)[1:]
            points |= {int(k) for k in np.rint(spaced)}
        points.add(int(end))
    return tuple(sorted(points))


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
    strengths = check_strengths(strengths)
    if columns is not None and len(columns) != X.shape[1]:
        raise InputError(f"X has {X.shape[1]} columns, `columns` describes {len(columns)}")
    points = column_points(n_columns, columns, X.shape[1])
    outer = split(y, groups, n_splits=n_splits, folds=folds, seed=seed)
    inner = _inner(y, groups, outer, len(strengths), n_inner_splits, folds, seed)
    scores = _scores(X, y, points, outer, inner, strengths, [None] * n_splits, n_jobs, progress)
    last = [k - 1 for k in points]
    return AccuracyCurve(
        n_columns=np.array(points, dtype=np.int64),
        accuracy=scores[0],
        balanced_accuracy=scores[1],
        roc_auc=scores[2],
        strength=scores[3],
        order=() if columns is None else tuple(int(columns.order[k]) for k in last),
        last_column=() if columns is None else tuple(columns.names[k] for k in last),
        folds=folds,
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
    strengths = check_strengths(strengths)
    if n_components is None:
        n_components = range(1, min(20, X.shape[1]) + 1)
    points = column_points(n_components, None, X.shape[1], "n_components")
    outer = split(y, groups, n_splits=n_splits, folds=folds, seed=seed)
    inner = _inner(y, groups, outer, len(strengths), n_inner_splits, folds, seed)
    rotations = [_Rotation.of(X[fold.train]) for fold in outer]
    scores = _scores(X, y, points, outer, inner, strengths, rotations, n_jobs, progress)
    return AccuracyCurve(
        n_columns=np.array(points, dtype=np.int64),
        accuracy=scores[0],
        balanced_accuracy=scores[1],
        roc_auc=scores[2],
        strength=scores[3],
        last_column=tuple(f"PC {k}" for k in points),
        folds=folds,
        ordering="pca",
    )


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


def _inner(
    y: NDArray[np.int64],
    groups: NDArray[Any],
    outer: Sequence[Fold],
    n_strengths: int,
    n_splits: int,
    folds: Folds,
    seed: int,
) -> list[tuple[Fold, ...]]:
    """Folds inside the training rows of each fold; none where there is nothing to choose."""
    if n_strengths == 1:
        return [() for _ in outer]
    return [
        inner_folds(y[fold.train], groups[fold.train], n_splits=n_splits, folds=folds, seed=seed)
        for fold in outer
    ]


def _scores(
    X: NDArray[Any],
    y: NDArray[np.int64],
    points: Sequence[int],
    outer: Sequence[Fold],
    inner: Sequence[Sequence[Fold]],
    strengths: Sequence[float],
    rotations: Sequence[_Rotation | None],
    n_jobs: int,
    progress: Progress | None,
) -> NDArray[np.float64]:
    """The four results of `_score`, shape (4, n_points, n_folds)."""
    if n_jobs == 0:
        raise InputError("n_jobs must be a number of processes, or -1 for all processors; got 0")
    # the longest tasks first, so that no process works alone at the end
    tasks = [(p, f) for p in reversed(range(len(points))) for f in range(len(outer))]
    calls = (
        delayed(_score)(X, y, points[p], outer[f], inner[f], strengths, rotations[f])
        for p, f in tasks
    )
    scores = np.empty((4, len(points), len(outer)))
    results = Parallel(n_jobs=n_jobs, return_as="generator")(calls)
    for done, ((p, f), result) in enumerate(zip(tasks, _results(results), strict=True), start=1):
        scores[:, p, f] = result
        if progress is not None:
            progress(done, len(tasks))
    return scores


def accuracy_curves(
    table: Table,
    *,
    cutoffs: Sequence[float] | None = None,
    n_columns: Sequence[int] | None = None,
    n_splits: int = 5,
    n_inner_splits: int = 4,
    folds: Folds = "grouped",
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> tuple[AccuracyCurve, ...]:
    """One accuracy curve for every cutoff, from the labelled sites of a table.

    Parameters
    ----------
    table : Table
        Sites with label -1 are left out. The features of one cutoff are in memory at a time.
    cutoffs : sequence of float, optional
        In units of sigma; all that the table holds when left out.
    n_columns, n_splits, n_inner_splits, folds, strengths, seed, n_jobs, progress
        As in `accuracy_curve`; progress counts over all cutoffs.

    Raises
    ------
    InputError
        If the table holds no features, not those of a cutoff, or too few samples.
    """
    check_described(table)
    cutoffs = cutoffs or table.cutoffs
    curves: list[AccuracyCurve] = []
    for k, cutoff in enumerate(cutoffs):
        sites = labelled_sites(table, cutoff)
        curve = accuracy_curve(
            sites.X,
            sites.y,
            sites.groups,
            n_columns=n_columns,
            columns=sites.columns,
            n_splits=n_splits,
            n_inner_splits=n_inner_splits,
            folds=folds,
            strengths=strengths,
            seed=seed,
            n_jobs=n_jobs,
            progress=None if progress is None else _shifted(progress, k, len(cutoffs)),
        )
        curves.append(replace(curve, cutoff=float(cutoff)))
    return tuple(curves)


def column_points(
    n_columns: Sequence[int] | None,
    columns: Columns | None,
    n_all: int,
    name: str = "n_columns",
) -> tuple[int, ...]:
    """Numbers of columns, ascending, checked."""
    if n_columns is None:
        if columns is not None:
            return default_columns(columns.order, columns.z)
        return default_columns(np.ones(n_all, dtype=int), np.zeros((n_all, 1), dtype=int))
    points = tuple(sorted({int(k) for k in n_columns}))
    if not points or points[0] < 1 or points[-1] > n_all or set(points) != set(n_columns):
        raise InputError(
            f"{name} must be whole numbers from 1 to {n_all}, the columns there are; got "
            f"{list(n_columns)}"
        )
    return points


def _score(
    X: NDArray[Any],
    y: NDArray[np.int64],
    n_columns: int,
    fold: Fold,
    inner: Sequence[Fold],
    strengths: Sequence[float],
    rotation: _Rotation | None,
) -> tuple[float, float, float, float]:
    """Accuracy, balanced accuracy, ROC-AUC on the test rows, and the chosen strength.

    One BLAS thread, since processes share the processors: this also makes the sums, and with them
    the result, independent of the number of processes.
    """
    with one_blas_thread():
        if rotation is None:
            train, test = X[fold.train, :n_columns], X[fold.test, :n_columns]
        else:
            train, test = (rotation.leading(X[r], n_columns) for r in (fold.train, fold.test))
        fit = fit_best(train, y[fold.train], inner, strengths)
        decision = fit.decision(test)
    truth, predicted = y[fold.test], (decision > 0).astype(np.int64)
    return (
        float(accuracy_score(truth, predicted)),
        float(balanced_accuracy_score(truth, predicted)),
        float(roc_auc_score(truth, decision)),
        fit.strength,
    )


def _results(results: Any) -> Iterator[tuple[float, float, float, float]]:
    """The generator that joblib returns, typed."""
    yield from results


def _shifted(progress: Progress, k: int, n: int) -> Progress:
    """Progress of the k-th of n curves as progress of all of them."""
    return lambda done, total: progress(k * total + done, n * total)
