"""Cross-validated accuracy against the number of columns (paper, Figs. 3, 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from amorphace.dataset.table import Columns
from amorphace.learn.checks import check_data, check_strengths
from amorphace.learn.logistic import STRENGTHS, fit_best
from amorphace.learn.parallel import Progress, run_grid
from amorphace.learn.points import column_points, last_columns
from amorphace.learn.results import Curve
from amorphace.learn.splits import Fold, Folds, fold_names, inner_of_all, split

SCORES = ("accuracy", "balanced_accuracy", "roc_auc", "strength", "loss")


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
) -> Curve:
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
    Curve
        "accuracy", of the variant `folds`: accuracy, balanced accuracy and ROC-AUC on the test
        rows, the strength chosen and the log-loss by which it was, inside the training rows; at
        numbers of columns, labelled by the last column used.

    Raises
    ------
    InputError
        If the data is not usable, there are fewer samples than folds, or `n_columns` is not.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, groups = rng.normal(size=(400, 2)), np.repeat(np.arange(10), 40)
    >>> curve = accuracy_curve(X, X[:, 1] > 0, groups, strengths=[0.1])
    >>> curve.x.tolist(), (curve.mean > 0.9).tolist()
    ([1, 2], [False, True])
    """
    X, y, groups = check_data(X, y, groups)
    points = column_points(n_columns, columns, X.shape[1])
    outer = split(y, groups, n_splits=n_splits, folds=folds, seed=seed)
    inner = inner_of_all(y, groups, outer, len(strengths), n_inner_splits, folds, seed)
    pieces = [_Piece(fold, inner[f]) for f, fold in enumerate(outer)]
    found = _curve(X, y, points, pieces, strengths, n_jobs, progress)
    return replace(
        found,
        labels=last_columns(columns, points),
        folds=fold_names(groups, outer, folds),
        variant=folds,
    )


def pca_curve(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    n_components: Sequence[int] | None = None,
    raw: bool = False,
    n_splits: int = 5,
    n_inner_splits: int = 4,
    strengths: Sequence[float] = STRENGTHS,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Curve:
    """Accuracy of logistic regression on the leading principal components (Fig. 5).

    The components are those of the training rows of each fold alone, of standardised columns.
    They have the largest variance, which need not be what tells active from inactive.

    Parameters
    ----------
    X, y, groups, n_splits, n_inner_splits, strengths, n_jobs, progress
        As in `accuracy_curve`.
    n_components : sequence of int, optional
        How many leading components to use; 1, 2, 3, ... to 20 when left out, or as many as there
        are columns.
    raw : bool
        Whether the components are those of the columns as they are, of which the first ones are
        then the columns of the largest numbers.

    Returns
    -------
    Curve
        "pca", of the variant "standardised" or "raw", as that of `accuracy_curve`, labelled
        "PC 1", ...

    Raises
    ------
    InputError
        As `accuracy_curve`.
    """
    X, y, groups = check_data(X, y, groups)
    if n_components is None:
        n_components = range(1, min(20, X.shape[1]) + 1)
    points = column_points(n_components, None, X.shape[1], "n_components")
    outer = split(y, groups, n_splits=n_splits)
    inner = inner_of_all(y, groups, outer, len(strengths), n_inner_splits)
    turned = [_Rotation.of(X[fold.train], raw) for fold in outer]
    pieces = [_Piece(fold, inner[f], turned[f]) for f, fold in enumerate(outer)]
    found = _curve(X, y, points, pieces, strengths, n_jobs, progress)
    return replace(
        found,
        name="pca",
        labels=tuple(f"PC {k}" for k in points),
        folds=fold_names(groups, outer, "grouped"),
        variant="raw" if raw else "standardised",
    )


@dataclass(frozen=True, eq=False)
class _Rotation:
    """Principal components: (x - mean) / scale . vectors, largest variance first."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    vectors: NDArray[np.float64]

    @classmethod
    def of(cls, X: NDArray[Any], raw: bool) -> _Rotation:
        scaled = StandardScaler(with_std=not raw).fit(X)
        Z = np.asarray(scaled.transform(X))
        _, vectors = np.linalg.eigh(Z.T @ Z)
        scale = np.ones(X.shape[1]) if scaled.scale_ is None else np.asarray(scaled.scale_)
        return cls(np.asarray(scaled.mean_), scale, vectors[:, ::-1])

    def leading(self, X: NDArray[Any], n: int) -> NDArray[np.float64]:
        return (X - self.mean) / self.scale @ self.vectors[:, :n]


@dataclass(frozen=True, eq=False)
class _Piece:
    """A fold, the folds inside it, and whether its columns are turned."""

    fold: Fold
    inner: Sequence[Fold]
    rotation: _Rotation | None = None


def _curve(
    X: NDArray[Any],
    y: NDArray[np.int64],
    points: Sequence[int],
    pieces: Sequence[_Piece],
    strengths: Sequence[float],
    n_jobs: int,
    progress: Progress | None,
) -> Curve:
    """Scores of all points and folds."""
    data = (X, y, check_strengths(strengths))
    scores = run_grid(_score, data, points, pieces, n_jobs=n_jobs, progress=progress)
    return Curve(name="accuracy", x=np.array(points), scores=dict(zip(SCORES, scores, strict=True)))


def _score(
    X: NDArray[Any],
    y: NDArray[np.int64],
    strengths: Sequence[float],
    n_columns: int,
    piece: _Piece,
) -> tuple[float, ...]:
    """Accuracy, balanced accuracy, ROC-AUC on the test rows; strength and loss of the choice."""
    fold, rotation = piece.fold, piece.rotation
    if rotation is None:
        train, test = X[fold.train, :n_columns], X[fold.test, :n_columns]
    else:
        train, test = (rotation.leading(X[r], n_columns) for r in (fold.train, fold.test))
    fit = fit_best(train, y[fold.train], piece.inner, strengths)
    return *scores_of(y[fold.test], fit.decision(test)), fit.strength, fit.loss


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
