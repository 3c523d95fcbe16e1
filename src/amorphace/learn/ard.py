"""Bayesian regression with automatic relevance determination (paper, Fig. 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import get_lapack_funcs
from scipy.stats import pearsonr, spearmanr
from sklearn.preprocessing import StandardScaler

from amorphace.dataset.table import Columns
from amorphace.learn.checks import check_target
from amorphace.learn.parallel import Progress, run_grid
from amorphace.learn.points import column_points, last_columns
from amorphace.learn.results import Curve
from amorphace.learn.splits import Fold, Folds, fold_names, split

MAX_STEPS = 300
"""Updates of the precisions, as in scikit-learn."""

TOLERANCE = 1e-3
"""Sum of the changes of all weights at which the updates end, as in scikit-learn."""

IRRELEVANT = 1e4
"""Precision of a weight above which its column is irrelevant, as in scikit-learn."""

TINY = 1e-6
"""Shape and rate of the Gamma priors of all precisions: they say nothing."""


@dataclass(frozen=True, eq=False)
class ARDFit:
    """t = weights . (x - mean) / scale + intercept.

    Attributes
    ----------
    mean, scale, weights : ndarray of shape (n_columns,)
        The weights belong to standardised columns; 0 where a column is irrelevant.
    intercept : float
    n_steps : int
        Updates of the precisions made.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    intercept: float
    n_steps: int

    def predict(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """The target, shape (n_sites,)."""
        return (X - self.mean) / self.scale @ self.weights + self.intercept


def fit_ard(X: ArrayLike, t: ArrayLike) -> ARDFit:
    """Bayesian linear regression with a precision for every column (MacKay 1994, Tipping 2001).

    Weights are normal with precision lambda_k, noise has precision alpha. With the posterior
    S = (diag(lambda) + alpha Z^T Z)^-1, w = alpha S Z^T t, gamma_k = 1 - lambda_k S_kk, the
    evidence grows by lambda_k <- gamma_k/w_k^2, alpha <- (n - sum gamma)/|t - Z w|^2; columns with
    lambda_k above `IRRELEVANT` are left out. Columns and target are standardised. These are the
    steps of scikit-learn's `ARDRegression`, made from Z^T Z and a Cholesky factor instead of a
    new product and an eigendecomposition in each step.

    Parameters
    ----------
    X : array_like of shape (n_sites, n_columns)
    t : array_like of shape (n_sites,)

    Raises
    ------
    InputError
        If shapes disagree or a number is not finite.
    """
    X, t, _ = check_target(X, t, t)
    scaled = StandardScaler().fit(X)
    Z = np.asarray(scaled.transform(X))
    mean, spread = float(t.mean()), float(t.std())
    if spread == 0:
        spread = 1.0  # a constant target has no weights
    s = (t - mean) / spread
    weights, n_steps = _maximise_evidence(Z.T @ Z, Z.T @ s, float(s @ s), len(s))
    return ARDFit(
        mean=np.asarray(scaled.mean_),
        scale=np.asarray(scaled.scale_),
        weights=weights * spread,
        intercept=mean,
        n_steps=n_steps,
    )


def _maximise_evidence(
    gram: NDArray[np.float64], projection: NDArray[np.float64], square: float, n_sites: int
) -> tuple[NDArray[np.float64], int]:
    """Weights from Z^T Z, Z^T t and t^T t, and the number of updates."""
    precision = np.ones(len(gram))
    noise = 1 / (square / n_sites + np.finfo(np.float64).eps)
    keep = np.ones(len(gram), dtype=bool)
    weights = np.zeros(len(gram))
    n_steps = 0
    while n_steps < MAX_STEPS and keep.any():
        n_steps += 1
        inside, right = gram[np.ix_(keep, keep)], projection[keep]
        w, variance = _posterior(inside, right, precision[keep], noise)
        gamma = 1 - precision[keep] * variance
        error = max(square - 2 * w @ right + w @ inside @ w, 0.0)
        precision[keep] = (gamma + 2 * TINY) / (w**2 + 2 * TINY)
        noise = (n_sites - gamma.sum() + 2 * TINY) / (error + 2 * TINY)
        new = np.zeros(len(gram))
        new[keep] = w
        keep = precision < IRRELEVANT
        new[~keep] = 0
        change = np.abs(new - weights).sum()
        weights = new
        if n_steps > 1 and change < TOLERANCE:
            break
    if keep.any():
        weights[keep], _ = _posterior(
            gram[np.ix_(keep, keep)], projection[keep], precision[keep], noise
        )
    return weights, n_steps


def _posterior(
    gram: NDArray[np.float64],
    projection: NDArray[np.float64],
    precision: NDArray[np.float64],
    noise: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variances of the weights."""
    matrix = noise * gram
    matrix[np.diag_indices(len(matrix))] += precision
    factor, lower = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    mean = noise * cho_solve((factor, lower), projection, check_finite=False)
    invert: Any = get_lapack_funcs("potri", (factor,))
    inverse, _ = invert(factor, lower=1, overwrite_c=1)
    return mean, np.diagonal(inverse).copy()


def ard_curve(
    X: ArrayLike,
    target: ArrayLike,
    groups: ArrayLike,
    *,
    n_columns: Sequence[int] | None = None,
    columns: Columns | None = None,
    log_target: bool = False,
    name: str = "d2min",
    n_splits: int = 5,
    folds: Folds = "grouped",
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Curve:
    """Correlation of the prediction of `fit_ard` from the leading columns with the target.

    Parameters
    ----------
    X : array_like of shape (n_sites, n_all_columns)
        Features in the standard order of columns.
    target : array_like of shape (n_sites,)
        For example D2min, not binarised.
    groups : array_like of shape (n_sites,)
        The sample of each site.
    n_columns, columns, n_splits, folds, seed, n_jobs, progress
        As in `accuracy_curve`; random folds ignore labels here.
    log_target : bool
        Predict the logarithm, and correlate with it.
    name : str
        Of the target, for the result.

    Returns
    -------
    Curve
        "ard", of the variant `name` or "log `name`": Pearson and Spearman correlation on the test
        rows (NaN where the prediction is constant, which has none), and the number of columns
        found relevant, at numbers of columns, labelled by the last column used.

    Raises
    ------
    InputError
        If the data is not usable, there are too few samples, or the logarithm of a target that is
        not positive is asked for.
    """
    X, t, groups = check_target(X, target, groups, log=log_target)
    points = column_points(n_columns, columns, X.shape[1])
    outer = split(None, groups, n_splits=n_splits, folds=folds, seed=seed)
    found = run_grid(_correlate, (X, t), points, outer, n_jobs=n_jobs, progress=progress)
    return Curve(
        name="ard",
        x=np.array(points),
        scores=dict(zip(("pearson", "spearman", "n_kept"), found, strict=True)),
        labels=last_columns(columns, points),
        folds=fold_names(groups, outer, folds),
        variant=f"log {name}" if log_target else name,
    )


def _correlate(
    X: NDArray[Any], t: NDArray[np.float64], n_columns: int, fold: Fold
) -> tuple[float, float, int]:
    """Pearson and Spearman correlation on the test rows, and columns kept."""
    fit = fit_ard(X[fold.train, :n_columns], t[fold.train])
    predicted = fit.predict(X[fold.test, :n_columns])
    return *correlations(predicted, t[fold.test]), int((fit.weights != 0).sum())


def correlations(predicted: NDArray[np.float64], t: NDArray[np.float64]) -> tuple[float, float]:
    """Pearson and Spearman correlation; NaN where one side is constant, which has none."""
    if not (np.ptp(predicted) > 0 and np.ptp(t) > 0):
        return np.nan, np.nan
    pearson: Any = pearsonr(predicted, t)
    spearman: Any = spearmanr(predicted, t)
    return float(pearson.statistic), float(spearman.statistic)
